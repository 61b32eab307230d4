"""The steps that set the length of a run: each waited for the one before it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """
    A step of the engine on a resource; times are seconds from the start of the command.

    Attributes:
        op: The engine's name of the operation, such as `create`.
        group: The name of the outermost parent of the resource below the stack; empty if it has none.
        waits_for: The URNs of all resources that it needs.
    """

    urn: str
    op: str
    group: str
    start: float
    end: float
    waits_for: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """The step's own time."""
        return self.end - self.start

    @property
    def label(self) -> str:
        """The kind and the name of the resource."""
        *_, kind, name = self.urn.split("::")
        return f"{kind.rpartition(':')[2]} {name}"


@dataclass(frozen=True)
class Wait:
    """
    A step and what it waited for.

    Attributes:
        waited_for: Of the steps that it needs, the one that ended last before it; `None` if it needs none.
    """

    step: Step
    waited_for: Step | None

    @property
    def gap(self) -> float:
        """
        Seconds in which nothing that the step needs was running: the own time of the program and the engine.

        The gap begins with the command if the step waited for no other.
        """
        return self.step.start - (self.waited_for.end if self.waited_for else 0)


def find_waits(steps: Iterable[Step]) -> list[Wait]:
    """Return what each step waited for, in the order of the starts."""
    ordered = sorted(steps, key=lambda step: step.start)
    by_urn: dict[str, list[Step]] = defaultdict(list)
    for step in ordered:
        by_urn[step.urn].append(step)
    return [Wait(step, _waited_for(step, by_urn)) for step in ordered]


def find_critical_path(waits: Sequence[Wait]) -> list[Wait]:
    """Return the steps from the first one to the one that ended last, each of which waited for the one before it."""
    by_step = {wait.step: wait for wait in waits}
    found: list[Wait] = []
    step = max(by_step, key=lambda each: each.end, default=None)
    while step:
        found.append(by_step[step])
        step = by_step[step].waited_for
    return found[::-1]


def _waited_for(step: Step, by_urn: Mapping[str, Sequence[Step]]) -> Step | None:
    needed = [each for urn in step.waits_for for each in by_urn.get(urn, ())]
    # That each one starts earlier ends the path where steps take no time.
    ended = [each for each in needed if each.start < step.start and each.end <= step.start]
    return max(ended, key=lambda each: each.end, default=None)
