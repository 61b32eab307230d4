"""What the packages that need no other machine have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.registrations import Outcome
    from lab.engine.values import Properties


def _never(_outputs: Properties) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class LocalType:
    """One type of resource that is made here, whole, from its inputs."""

    make: Callable[[Properties], Outcome]
    """Inputs arrive without secret marks; outputs carry them."""
    inputs: frozenset[str]
    """Inputs that are understood; any other is refused."""
    in_place: frozenset[str] = frozenset()
    """Inputs whose change makes nothing anew."""
    is_due: Callable[[Properties], bool] = _never
    """Tells from the outputs whether the clock demands a new one."""
