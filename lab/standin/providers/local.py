"""Resource types that are generated on this machine, such as keys and random values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from errors import UserError
from lab.standin import paths
from lab.standin.ledger import Result, is_triggered, refuse_to_replace
from lab.standin.plan import Step, differences
from recorder.registrations import Outcome, Registration
from recorder.values import has_unknown, mark_like, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.standin.ledger import Ledger
    from lab.standin.state import Entry
    from recorder.values import Properties


def _never(_outputs: Properties) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class LocalType:
    """One type of resource that is generated completely from its inputs."""

    make: Callable[[Properties], Outcome]
    """Generates the resource; the inputs have no secret marks, the outputs do."""
    inputs: frozenset[str]
    """The supported inputs; all others are refused."""
    in_place: frozenset[str] = frozenset()
    """Inputs whose change does not replace the resource."""
    is_due: Callable[[Properties], bool] = _never
    """Returns from the outputs whether the resource is due for renewal."""

    def apply(self, registration: Registration, ledger: Ledger) -> Outcome:
        """
        Generate the resource if it is missing, its inputs have changed, or its renewal is due.

        Raises:
            UserError: An input is not supported, or a protected resource would be replaced.
        """
        if unknown := sorted(set(registration.inputs) - self.inputs):
            raise UserError(f"{registration.type} {registration.name}: {', '.join(unknown)} is not supported")
        before = ledger.before(registration)
        inputs = (
            paths.overlay(registration.inputs, before.inputs, registration.ignore_changes)
            if before
            else (registration.inputs)
        )
        result = self._compare(registration, before, inputs)
        refuse_to_replace(registration, before, result.step)
        if result.step in (Step.CREATE, Step.REPLACE) and not has_unknown(inputs):
            # A preview generates the resource as well and discards it, so that it finds the same errors.
            made = self.make(reveal(inputs))
            marked = {name: mark_like(value, inputs.get(name)) for name, value in made.outputs.items()}
            if not ledger.preview:
                result = replace(result, outcome=Outcome(id=made.id, outputs=marked))
        ledger.keep(registration, result, inputs=inputs, outputs=result.outcome.outputs)
        return result.outcome

    def _compare(self, registration: Registration, before: Entry | None, inputs: Properties) -> Result:
        if before is None:
            return Result(Step.CREATE, Outcome(outputs=inputs))
        fields = tuple(differences(before.inputs, inputs))
        changed = {each.path.partition(".")[0].partition("[")[0] for each in fields}
        kept = Outcome(id=before.id, outputs={**before.outputs, **inputs})
        if changed - self.in_place:
            return Result(Step.REPLACE, Outcome(outputs=inputs), fields)
        if is_triggered(registration, before):
            return Result(Step.REPLACE, Outcome(outputs=inputs), fields, "its replacement trigger has changed")
        if self.is_due(kept.outputs):
            return Result(Step.REPLACE, Outcome(outputs=inputs), fields, "its renewal is due")
        return Result(Step.UPDATE if fields else Step.SAME, kept, fields)
