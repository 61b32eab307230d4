"""The records of one run: each resource's earlier entry, its step, and its new entry in the state."""

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
    """The result of comparing or applying one resource."""

    step: Step
    outcome: Outcome
    fields: tuple[FieldChange, ...] = ()
    note: str = ""


class Ledger:
    """The state and the display of one run; a preview writes no state."""

    def __init__(self, state: State, display: Display, *, preview: bool) -> None:
        self.state = state
        self.display = display
        self.preview = preview
        self._renaming = Lock()

    def before(self, registration: Registration) -> Entry | None:
        """Return the entry of an earlier run under any of the resource's URNs, and rename it to the new URN."""
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
        """Store the entry of a complete resource, and show its step."""
        if not self.preview:
            self.state.put(_entry(registration, result.outcome.id, inputs, outputs or {}))
        self.display.change(Change(urn=registration.urn, step=result.step, fields=result.fields, note=result.note))

    def announce(
        self, registration: Registration, id_: str, inputs: Properties, outputs: Properties | None = None
    ) -> None:
        """Store a pending entry before a resource is created, so that the state knows it even if the run is killed."""
        self.state.put(_entry(registration, id_, inputs, outputs or {}, pending=True))

    def set_aside(self, before: Entry) -> None:
        """Store the entry of a replaced resource under another URN; the run deletes it at its end."""
        # The check before the replacement has allowed this deletion.
        self.state.put(replace(before, urn=_aside(before), protect=False))

    def restore(self, registration: Registration, before: Entry | None) -> None:
        """Replace the pending entry of a resource that was not created by the earlier entry, if any."""
        if before is None:
            self.state.remove(registration.urn)
        else:
            self.state.put(replace(before, urn=registration.urn))
            self.state.remove(_aside(before))


def _aside(before: Entry) -> str:
    return f"{before.urn}::{before.id}"


def is_triggered(registration: Registration, before: Entry | None) -> bool:
    """Return whether the replacement trigger has changed; as in Pulumi, one that appears or disappears has not."""
    triggers = (registration.replacement_trigger, before.replacement_trigger if before else None)
    return None not in triggers and triggers[0] != triggers[1]


def refuse_to_replace(registration: Registration, before: Entry | None, step: Step) -> None:
    """
    Refuse the replacement of a protected resource, as Pulumi does.

    Raises:
        UserError: The resource is protected and would be replaced.
    """
    if before is not None and before.protect and registration.protect and step is Step.REPLACE:
        raise UserError(f"{registration.name} is protected and would be replaced", "Remove its protection first")


def _entry(
    registration: Registration, id_: str, inputs: Properties, outputs: Properties, *, pending: bool = False
) -> Entry:
    return Entry(
        urn=registration.urn,
        type=registration.type,
        id=id_,
        parent=registration.parent,
        provider=references.urn_of(registration.provider) if registration.provider else None,
        dependencies=tuple(sorted(registration.dependencies)),
        inputs=inputs,
        outputs=outputs,
        protect=registration.protect,
        retain_on_delete=registration.retain_on_delete,
        deleted_with=registration.deleted_with,
        replacement_trigger=registration.replacement_trigger,
        pending=pending,
    )
