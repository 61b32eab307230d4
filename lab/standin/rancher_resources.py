"""Rancher's resources in a run: compared with the server, and created, updated or replaced by its API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from errors import UserError
from lab.standin import paths
from lab.standin.ledger import Ledger, Result, is_triggered, refuse_to_replace
from lab.standin.plan import Step, differences
from lab.standin.providers import rancher2
from lab.standin.providers.rancher2 import RancherType
from lab.standin.rancher_server import RancherServer, RefusedError
from recorder.registrations import Outcome, Registration
from recorder.values import has_unknown, reveal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.standin.plan import FieldChange
    from lab.standin.rancher_servers import RancherServers
    from lab.standin.state import Entry
    from recorder.values import Properties


class RancherResources:
    """Compares or applies the resources of Rancher servers."""

    def __init__(self, ledger: Ledger, servers: RancherServers) -> None:
        self._ledger = ledger
        self._servers = servers

    def apply(self, registration: Registration) -> Outcome:
        """
        Bring one resource to the state that the program declares.

        Raises:
            UserError: An input is not supported, a protected resource would be replaced, or Rancher refuses.
        """
        type_ = rancher2.TYPES[registration.type]
        _check(registration, type_)
        before = self._ledger.before(registration)
        inputs = rancher2.without_empty({**type_.defaults, **registration.inputs})
        if before is not None and not before.pending:
            inputs = paths.overlay(inputs, before.inputs, registration.ignore_changes)
        server = self._servers.of(registration.provider)
        wanted = _DesiredResource(type_, registration, inputs)
        result = wanted.compare(before, server)
        refuse_to_replace(registration, before, result.step)
        if not self._ledger.preview:
            if server is None or has_unknown(inputs):
                raise UserError(f"{registration.name}: an input is not known")
            result = replace(result, outcome=self._execute(wanted, before, result, server))
        self._ledger.keep(registration, result, inputs=inputs, outputs=result.outcome.outputs)
        return result.outcome

    def _execute(
        self, wanted: _DesiredResource, before: Entry | None, result: Result, server: RancherServer
    ) -> Outcome:
        if result.step is Step.SAME:
            return result.outcome
        if before is None or result.step is Step.CREATE:
            if before is not None and before.pending:
                rancher2.delete(before, server, rancher2.passwords_in(self._ledger.state.entries().values()))
            return self._make(wanted, before, server, sets_aside=False)
        if result.step is Step.UPDATE:
            live = rancher2.change(wanted.type, server, before.id, reveal(wanted.inputs), _tops(result.fields))
            return Outcome(id=before.id, outputs={**before.outputs, **wanted.type.read(live), **wanted.inputs})
        if wanted.has_name_of(before):
            rancher2.delete(before, server, {})
            return self._make(wanted, before, server, sets_aside=False)
        # The old resource stays until all its dependents use the new one.
        return self._make(wanted, before, server, sets_aside=True)

    def _make(
        self, wanted: _DesiredResource, before: Entry | None, server: RancherServer, *, sets_aside: bool
    ) -> Outcome:
        type_, registration, inputs = wanted.type, wanted.registration, wanted.inputs
        with rancher2.authenticated(type_, server, inputs) as own:
            others = rancher2.similar(type_, own, inputs)
            if before is not None and sets_aside:
                self._ledger.set_aside(before)
            # Rancher assigns the id, so store the ids that exist before the creation.
            self._ledger.announce(registration, "", inputs, {rancher2.OTHERS: others})
            try:
                made = rancher2.make(type_, own, inputs)
            except RefusedError:
                if sets_aside or before is None:
                    self._ledger.restore(registration, before)
                raise
            self._ledger.announce(registration, made["id"], inputs)
            rancher2.wait_until_active(type_, own, made["id"])
        return Outcome(id=made["id"], outputs={**type_.read(made), **inputs})


@dataclass(frozen=True)
class _DesiredResource:
    """One resource as the program declares it."""

    type: RancherType
    registration: Registration
    inputs: Properties
    """The inputs without empty values and with defaults."""

    def compare(self, before: Entry | None, server: RancherServer | None) -> Result:
        """Return the step that the entry and the server's resource require; `server` is None while it is unknown."""
        if before is None or before.pending:
            return Result(Step.CREATE, self._recreated)
        changed = tuple(differences(before.inputs, self.inputs))
        if is_triggered(self.registration, before):
            return Result(Step.REPLACE, self._recreated, changed, "its replacement trigger has changed")
        # The resource is replaced in any case, and a user with a new password could not read the old token.
        if server is None or _tops(changed) - self.type.in_place:
            return self._step(before, {}, changed)
        live = rancher2.find(self.type, server, before)
        if live is None:
            return Result(Step.CREATE, self._recreated, note="it does not exist in Rancher any more, and is recreated")
        fields = tuple(differences(self._live_inputs(live, before), self.inputs))
        if self.type.is_over(live):
            return Result(Step.REPLACE, self._recreated, fields, "it has expired, or was disabled")
        return self._step(before, self.type.read(live), fields)

    @property
    def _recreated(self) -> Outcome:
        return Outcome(outputs=self.inputs)

    def has_name_of(self, before: Entry) -> bool:
        """
        Return whether Rancher refuses a second resource of this name.

        The provider then deletes the old one first.
        """
        return "name" in self.inputs and self.inputs["name"] == before.inputs.get("name")

    def _live_inputs(self, live: Properties, before: Entry) -> Properties:
        """Return the inputs that describe the server's resource."""
        ignored = self.type.write_only | (self.type.computed - self.inputs.keys())
        live_values = {name: value for name, value in self.type.inputs_of(live).items() if name not in ignored}
        return live_values | {name: value for name, value in before.inputs.items() if name in self.type.write_only}

    def _step(self, before: Entry, live_values: Properties, fields: tuple[FieldChange, ...]) -> Result:
        if _tops(fields) - self.type.in_place:
            return Result(Step.REPLACE, self._recreated, fields)
        kept = Outcome(id=before.id, outputs={**before.outputs, **live_values, **self.inputs})
        return Result(Step.UPDATE if fields else Step.SAME, kept, fields)


def _check(registration: Registration, type_: RancherType) -> None:
    name = f"{registration.type} {registration.name}"
    if unknown := sorted(registration.inputs.keys() - type_.inputs):
        raise UserError(f"{name}: {', '.join(unknown)} is not supported by the stand-in")
    if missing := sorted(type_.required - registration.inputs.keys()):
        raise UserError(f"{name}: {', '.join(missing)} is required, because the stand-in generates no values")


def _tops(fields: Iterable[FieldChange]) -> frozenset[str]:
    return frozenset(each.path.partition(".")[0].partition("[")[0] for each in fields)
