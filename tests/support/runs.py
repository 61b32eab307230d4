"""Recordings of the whole program, each made once."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.recording import RecordingMonitor
from tests.support.stacks import LAB, OPERATOR, Stack, lab_stack, operator_stack, rancher_stack

Choice = tuple[str, tuple[str, ...] | None, int | None, bool]


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The recordings of the program by stack and options; tests must not change them."""

    folder: Path
    _made: dict[Choice, RecordingMonitor] = field(default_factory=dict)

    def stack(self, stack: str, *, names: tuple[str, ...] | None = None, weight: int | None = None) -> Stack:
        """Return a stack file's config, a variant of it, or the lab's with other clusters and another weight."""
        if stack == LAB:
            found = lab_stack(self.folder, names)
        else:
            found = operator_stack() if stack == OPERATOR else rancher_stack()
        return found if weight is None else found.changed(v2Weight=weight)

    def __call__(
        self,
        stack: str,
        *,
        names: tuple[str, ...] | None = None,
        weight: int | None = None,
        preview: bool = False,
    ) -> RecordingMonitor:
        """Return the recording of a run."""
        choice = (stack, names, weight, preview)
        if choice not in self._made:
            self._made[choice] = self.stack(stack, names=names, weight=weight).run(preview=preview)
        return self._made[choice]
