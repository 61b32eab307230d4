"""Property paths, as `ignoreChanges` and `pulumi.com/waitFor` write them."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

from errors import UserError

if TYPE_CHECKING:
    from recorder.values import Properties

_STEP: Final = re.compile(r"""\.?([^.\[\]"']+)|\[(\d+)\]|\[["']((?:[^"'\\]|\\.)+)["']\]""")


def parse(path: str) -> tuple[str | int, ...]:
    """
    Split a path such as `metadata.annotations["a/b"]` or `spec.rules[0].host`.

    Raises:
        UserError: The path has a wildcard or another form that is not supported.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None or "*" in found[0] or "?" in found[0]:
            raise UserError(f"the path {path} is not supported", 'Use names, [0] and ["quoted"]')
        name, index, quoted = found.groups()
        steps.append(int(index) if index else (name or quoted.replace("\\", "")))
        position = found.end()
    return tuple(steps)


def find(value: Any, steps: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - JSON data
    """Return the value at a path; None if there is none."""
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def overlay(wanted: Properties, present: Properties, paths: tuple[str, ...]) -> Properties:
    """Return a copy of `wanted` with the values at `paths` taken from `present`, or removed if it has none."""
    result = copy.deepcopy(wanted)
    for path in paths:
        *above, last = parse(path)
        holder = find(result, tuple(above))
        if not isinstance(holder, dict) or not isinstance(last, str):
            continue
        found = find(present, (*above, last))
        if found is None:
            holder.pop(last, None)
        else:
            holder[last] = found
    return result
