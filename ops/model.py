"""The shape of what `--json` prints."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class JsonModel(BaseModel):
    """A part of a report: camelCase keys, which are only ever added to."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)
