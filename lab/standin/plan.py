"""The plan of a run: one step for each resource, with the fields that differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from recorder.values import Secret, Unknown, reveal, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_CHARACTERS: Final = 100
_CONTEXT_CHARACTERS: Final = 30


class Step(StrEnum):
    """The operation on a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    SAME = "same"


class _Absent:
    def __repr__(self) -> str:
        return "(none)"


ABSENT: Final = _Absent()


@dataclass(frozen=True)
class FieldChange:
    """The value of one field before and after."""

    path: str
    before: object
    after: object

    def __str__(self) -> str:
        skipped = _common_start(self.before, self.after)
        return f"{self.path}: {show(self.before, skipped)} => {show(self.after, skipped)}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """The step of one resource."""

    urn: str
    step: Step
    fields: tuple[FieldChange, ...] = ()
    note: str = ""

    @property
    def type(self) -> str:
        """The resource's type without the types of its ancestors."""
        return self.urn.split("::")[2].rsplit("$", 1)[-1]

    @property
    def name(self) -> str:
        """The logical name of the resource."""
        return self.urn.split("::", 3)[3]

    def as_data(self) -> dict[str, object]:
        """Return the step as JSON data, with values as in the printed form."""
        return {
            "urn": self.urn,
            "step": self.step.value,
            "fields": [
                {"path": each.path, "before": show(each.before), "after": show(each.after)} for each in self.fields
            ],
            "note": self.note,
        }


def differences(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:  # noqa: ANN401 - JSON data
    """Compare two values leaf by leaf; compare lists of different length by item name, or as a whole without names."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), _join(path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif isinstance(before, list) and isinstance(after, list) and _have_names(before) and _have_names(after):
        old, new = ({item["name"]: item for item in items} for items in (before, after))
        for name in sorted({*old, *new}):
            yield from differences(old.get(name, ABSENT), new.get(name, ABSENT), f"{path}[{json.dumps(name)}]")
    elif reveal(before) != reveal(after):
        yield FieldChange(path, before, after)


def _have_names(items: list[Any]) -> bool:
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    return len(names) == len(items) == len(set(names)) and all(isinstance(name, str) for name in names)


def _join(path: str, name: str) -> str:
    plain = name.replace("_", "").replace("-", "").isalnum()
    step = f".{name}" if plain and path else name if plain else f"[{json.dumps(name)}]"
    return f"{path}{step}"


def show(value: object, skipped: int = 0) -> str:
    """Render a value for a diff: secrets hidden, long values cut, a text without its first `skipped` characters."""
    match value:
        case Secret() | Unknown() | _Absent():
            return repr(value)
        case str() if skipped:
            text = f"...{json.dumps(value[skipped:])}"
        case Mapping() | list():
            text = json.dumps(to_wire(_hide(value)))
        case _:
            text = json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _common_start(before: object, after: object) -> int:
    """Return the length of the common start of two long texts, less a few characters for context."""
    if not isinstance(before, str) or not isinstance(after, str):
        return 0
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    return max(common - _CONTEXT_CHARACTERS, 0) if max(len(before), len(after)) > _SHOWN_CHARACTERS else 0


def _hide(value: object) -> object:
    match value:
        case Secret() | Unknown():
            return repr(value)
        case Mapping():
            return {name: _hide(item) for name, item in value.items()}
        case list():
            return [_hide(item) for item in value]
        case _:
            return value
