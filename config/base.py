"""The base class of all sections of the stack config."""

from typing import get_args

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

NAMESPACE = "mcsps"


class Section(BaseModel):
    """
    A section of the config: an immutable mapping with camelCase keys, which refuses unknown ones.

    The docstring under a field is its description in the reference and in the JSON Schema. A field that holds a section
    can have the section's.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


def sections_within(annotation: object) -> list[type[Section]]:
    """The sections that a field of this type can hold."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections_within(part)]
