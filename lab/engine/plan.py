"""What would change, or did: one step for each resource, with the fields that differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lab.engine.values import Secret, Unknown, reveal, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_CHARACTERS: Final = 100


class Step(StrEnum):
    """What happens to a resource."""

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
    """One field before and after."""

    path: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{self.path}: {show(self.before)} => {show(self.after)}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource's step."""

    urn: str
    step: Step
    fields: tuple[FieldChange, ...] = ()
    note: str = ""

    @property
    def type(self) -> str:
        """The resource's own type, without its ancestors'."""
        return self.urn.split("::")[2].rsplit("$", 1)[-1]

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[3]

    def as_data(self) -> dict[str, object]:
        """Give the machine's form; values as they are shown to people."""
        return {
            "urn": self.urn,
            "step": self.step.value,
            "fields": [
                {"path": each.path, "before": show(each.before), "after": show(each.after)} for each in self.fields
            ],
            "note": self.note,
        }


def differences(before: Any, after: Any, path: str = "") -> Iterator[FieldChange]:  # noqa: ANN401 - JSON data
    """Compare two values leaf by leaf; lists of different length differ as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), _join(path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif reveal(before) != reveal(after):
        yield FieldChange(path, before, after)


def _join(path: str, name: str) -> str:
    plain = name.replace("_", "").replace("-", "").isalnum()
    step = f".{name}" if plain and path else name if plain else f"[{json.dumps(name)}]"
    return f"{path}{step}"


def show(value: object) -> str:
    """Render a value for a diff: secrets hidden, long ones cut."""
    match value:
        case Secret() | Unknown() | _Absent():
            return repr(value)
        case Mapping() | list():
            text = json.dumps(to_wire(_hide(value)))
        case _:
            text = json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


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
