"""Property values as plain data, in which a value that is unknown during a preview is a marker."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from pulumi_policy.proxy import UnknownValueError


class Unknown:
    """A value that is known only after the update."""


UNKNOWN: Final = Unknown()

SHOWN_MAX: Final = 80

Place = tuple[str | int, ...]


def plain(value: object) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """
    Copy properties from the SDK's types, with `UNKNOWN` for unknown values.

    The SDK's mappings and lists raise when an unknown value is read, and then skip the whole rule.
    """
    if value is None or isinstance(value, str | int | float):
        # The most frequent ones first: a check against an abstract class costs more than the rest.
        return value
    match value:
        case Mapping():
            return {key: _item(value, key) for key in value}
        case Sequence():
            return [_item(value, index) for index in range(len(value))]
        case _:
            return value


def _item(holder: Any, key: object) -> object:  # noqa: ANN401 - a mapping or a sequence
    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN


def look(value: object, *path: str) -> object:
    """The value at a path; None if there is none; `UNKNOWN` if the value or a mapping on the way is unknown."""
    for step in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def items(value: object) -> Sequence[object]:
    """The items of a list; an empty sequence for any other value."""
    return value if isinstance(value, list) else ()


def whole_number(value: object) -> int | None:
    """The value as an int, since the protocol sends all numbers as floats; None if it is not a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value // 1 else None


def read_yaml(text: object) -> object:
    """The first document of a YAML or JSON text, which is the one that Go reads; None for any other value."""
    try:
        return next(yaml.safe_load_all(text), None) if isinstance(text, str) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def walk(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Iterate over a value and all values within it, with their places."""
    yield place, value
    match value:
        case Mapping():
            for key, item in value.items():
                yield from walk(item, (*place, key))
        case list():
            for index, item in enumerate(value):
                yield from walk(item, (*place, index))


def texts(value: object) -> Iterator[tuple[Place, str]]:
    """Iterate over all texts within a value, with their places."""
    return ((place, found) for place, found in walk(value) if isinstance(found, str))


def show_place(place: Place) -> str:
    """Format a place, such as `spec.http[0].route`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def show(value: object) -> str:
    """Format a value for a message: numbers and short texts as they are, of others only the kind and the size."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case Mapping() | list():
            return f"a {'list' if isinstance(value, list) else 'mapping'} of {len(value)}"
        case str() if len(value) > SHOWN_MAX or not value.isprintable():
            return f"a text of {len(value)} characters"
        case _:
            number = whole_number(value)
            return repr(value if number is None else number)
