"""Property values as plain data, in which what is not known yet is a mark that can be looked at."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from pulumi_policy.proxy import UnknownValueError


class Unknown:
    """A value that only the update will tell."""


UNKNOWN: Final = Unknown()

SHOWN_MAX: Final = 80

Place = tuple[str | int, ...]


def plain(value: object) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """
    Copy what the SDK hands to a policy.

    Its own mappings and lists raise at the first look at an unknown, and the whole rule would be given up for it.
    """
    match value:
        case Mapping():
            return {key: _item(value, key) for key in value}
        case Sequence() if not isinstance(value, str):
            return [_item(value, index) for index in range(len(value))]
        case _:
            return value


def _item(holder: Any, key: object) -> object:  # noqa: ANN401 - a mapping or a sequence
    try:
        return plain(holder[key])
    except UnknownValueError:
        return UNKNOWN


def look(value: object, *path: str) -> object:
    """What stands at a path; None if nothing does, or something else than mappings on the way; or `UNKNOWN`."""
    for step in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def items(value: object) -> Sequence[object]:
    """The items of a list; none if it is no list."""
    return value if isinstance(value, list) else ()


def whole_number(value: object) -> int | None:
    """A whole number, which the wire gives as a float; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value // 1 else None


def read_yaml(text: object) -> object:
    """What a text says as YAML, or as JSON, in its first document as Go reads it; None if it is neither."""
    try:
        return next(yaml.safe_load_all(text), None) if isinstance(text, str) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def walk(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every value within a value, itself included, with its place."""
    yield place, value
    match value:
        case Mapping():
            for key, item in value.items():
                yield from walk(item, (*place, key))
        case list():
            for index, item in enumerate(value):
                yield from walk(item, (*place, index))


def texts(value: object) -> Iterator[tuple[Place, str]]:
    """Every text within a value, with its place."""
    return ((place, found) for place, found in walk(value) if isinstance(found, str))


def show_place(place: Place) -> str:
    """Write a place as people do, such as `spec.http[0].route`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def show(value: object) -> str:
    """Write a value for a message; of anything but numbers and short texts, only the kind and the size."""
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
