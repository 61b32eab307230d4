"""One run's book: what was there before, what a resource's step was, what to remember of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from errors import UserError
from lab.standin import references
from lab.standin.plan import Change, FieldChange, Step
from lab.standin.state import Entry

if TYPE_CHECKING:
    from lab.standin.display import Display
    from lab.standin.state import State
    from recorder.registrations import Outcome, Registration
    from recorder.values import Properties


@dataclass(frozen=True)
class Result:
    """What one resource's comparing or carrying out came to."""

    step: Step
    outcome: Outcome
    fields: tuple[FieldChange, ...] = ()
    note: str = ""


class Ledger:
    """State and display of one run; in previews nothing is written."""

    def __init__(self, state: State, display: Display, *, preview: bool) -> None:
        self.state = state
        self.display = display
        self.preview = preview
        self._renaming = Lock()

    def before(self, registration: Registration) -> Entry | None:
        """Look up what an earlier run made, under any of the resource's URNs; carry it over to the new one."""
        with self._renaming:
            for urn in (registration.urn, *registration.aliases):
                entry = self.state.get(urn)
                if entry is not None:
                    if urn != registration.urn and not self.preview:
                        self.state.rename(urn, registration.urn)
                    return entry
        return None

    def keep(
        self, registration: Registration, result: Result, *, inputs: Properties, outputs: Properties | None = None
    ) -> None:
        """Remember a resource that is complete, and show its step."""
        if not self.preview:
            self.state.put(_entry(registration, result.outcome.id, inputs, outputs or {}))
        self.display.change(Change(urn=registration.urn, step=result.step, fields=result.fields, note=result.note))

    def announce(
        self, registration: Registration, id_: str, inputs: Properties, outputs: Properties | None = None
    ) -> None:
        """Remember what is about to be made, so that a run killed now leaves nothing unknown behind."""
        self.state.put(_entry(registration, id_, inputs, outputs or {}, pending=True))

    def set_aside(self, before: Entry) -> None:
        """Remember a resource beside the one that follows it; pruning takes it away."""
        # That it may go was settled when it was let be replaced.
        self.state.put(replace(before, urn=_aside(before), protect=False))

    def take_back(self, registration: Registration, before: Entry | None) -> None:
        """Forget what was announced and not made, and have in its place what was there before."""
        if before is None:
            self.state.remove(registration.urn)
        else:
            self.state.put(replace(before, urn=registration.urn))
            self.state.remove(_aside(before))


def _aside(before: Entry) -> str:
    return f"{before.urn}::{before.id}"


def is_triggered(registration: Registration, before: Entry | None) -> bool:
    """Tell whether the replacement trigger has another value than before."""
    return before is not None and registration.replacement_trigger != before.replacement_trigger


def refuse_to_replace(registration: Registration, before: Entry | None, step: Step) -> None:
    """
    Hold protection up, as Pulumi does.

    Raises:
        UserError: a protected resource would be made anew.
    """
    if before is not None and before.protect and registration.protect and step is Step.REPLACE:
        raise UserError(f"{registration.name} is protected and would be replaced: unprotect it first")


def _entry(
    registration: Registration, id_: str, inputs: Properties, outputs: Properties, *, pending: bool = False
) -> Entry:
    provider = registration.providers.get("kubernetes") if registration.remote else registration.provider
    return Entry(
        urn=registration.urn,
        type=registration.type,
        id=id_,
        parent=registration.parent,
        provider=references.urn_of(provider) if provider else None,
        dependencies=tuple(sorted(registration.dependencies)),
        inputs=inputs,
        outputs=outputs,
        protect=registration.protect,
        retain_on_delete=registration.retain_on_delete,
        deleted_with=registration.deleted_with,
        replacement_trigger=registration.replacement_trigger,
        pending=pending,
    )
