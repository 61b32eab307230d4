"""What every section of the stack config has in common. Reads nothing."""

from typing import get_args

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

NAMESPACE = "mcsps"


class Section(BaseModel):
    """A part of the config: camelCase keys, no others, never changed."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True)


def sections_within(annotation: object) -> list[type[Section]]:
    """The sections that a field of this type may hold."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections_within(part)]
