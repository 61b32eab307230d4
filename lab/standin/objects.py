"""Kubernetes objects in a run: a preview compares them, an update applies them and waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from errors import UserError
from lab.standin.cluster import ImmutableError, UnreachableError
from lab.standin.ledger import Ledger, Result, is_triggered, refuse_to_replace
from lab.standin.plan import Step
from lab.standin.providers.kubernetes import KubernetesObject, identity_in, is_object
from recorder.registrations import Outcome, Registration

if TYPE_CHECKING:
    from lab.standin.cluster import ClusterApi
    from lab.standin.clusters import Clusters, Place
    from lab.standin.state import Entry


class Objects:
    """Compares or applies the resources that are objects on clusters."""

    def __init__(self, ledger: Ledger, clusters: Clusters) -> None:
        self._ledger = ledger
        self._clusters = clusters
        self._own = {self._place_of(entry) for entry in ledger.state.entries().values() if is_object(entry.type)}
        self.claimed: set[Place] = set()
        """The objects that the program has declared so far."""

    def apply(self, registration: Registration) -> Outcome:
        """Bring one object to the state that the program declares."""
        before = self._ledger.before(registration)
        try:
            cluster = self._clusters.of(registration.provider)
        except UnreachableError:
            if before is not None and self._is_skipped(registration, before):
                return self._skip(registration, before)
            if not self._ledger.preview:
                raise
            cluster = None
        made = KubernetesObject.of(registration, cluster, self._clusters.namespace_of(registration.provider))
        result = self._wait(made, self._start(made, before, cluster), before)
        self._ledger.keep(registration, result, inputs=made.name, outputs=made.added_to(result.outcome.outputs))
        return result.outcome

    def _is_skipped(self, registration: Registration, before: Entry) -> bool:
        is_complete = not before.pending and not is_triggered(registration, before)
        return is_complete and self._clusters.skips_unreachable(registration.provider)

    def _skip(self, registration: Registration, before: Entry) -> Outcome:
        """Keep an object of an unreachable cluster as the state has it."""
        self.claimed.add(self._place_of(before))
        outcome = Outcome(id=before.id, outputs={**registration.inputs, **before.outputs})
        self._ledger.keep(registration, Result(Step.SAME, outcome), inputs=before.inputs, outputs=before.outputs)
        return outcome

    def _start(self, made: KubernetesObject, before: Entry | None, cluster: ClusterApi | None) -> Result:
        registration = made.registration
        try:
            is_moved = self._claim(made, before)
            recreate = is_triggered(registration, before)
            if not self._ledger.preview:
                return self._apply(made, before, is_moved=is_moved, recreate=recreate)
            result = made.preview(is_in_state=before is not None)
            if is_moved or recreate:
                result = replace(result, step=Step.REPLACE)
            refuse_to_replace(registration, before, result.step)
        except UserError as error:
            where = cluster.name if cluster else "a cluster that is not known yet"
            raise UserError(f"{made.identity or registration.name} in {where}: {error}") from None
        return result

    def _claim(self, made: KubernetesObject, before: Entry | None) -> bool:
        """
        Claim the declared object; return whether it is another object than before.

        Raises:
            UserError: The object exists, is not in this stack, and the provider may not adopt it.
        """
        if made.identity is None:
            return False
        provider = made.registration.provider
        place = self._clusters.place(provider, made.identity)
        self.claimed.add(place)
        if place not in self._own and made.is_there() and not self._clusters.adopts(provider or ""):
            raise UserError(
                "it exists already, and this stack did not create it",
                "Delete it, or let its provider adopt it (upsertExistingObjects)",
            )
        return before is not None and self._place_of(before) != place

    def _place_of(self, entry: Entry) -> Place:
        return self._clusters.place(entry.provider, identity_in(entry))

    def _apply(self, made: KubernetesObject, before: Entry | None, *, is_moved: bool, recreate: bool) -> Result:
        registration = made.registration
        if before is not None and (is_moved or recreate):
            refuse_to_replace(registration, before, Step.REPLACE)
        if before is not None and is_moved:
            # The old object stays until all its dependents use the new one.
            self._ledger.set_aside(before)
        is_ready = before is not None and not before.pending and not is_moved
        if not is_ready and made.identity is not None:
            self._ledger.announce(registration, made.identity.id, made.name)
        report = self._ledger.display.waiting(registration.urn)
        try:
            result = made.apply(is_in_state=is_ready, recreate=recreate and not is_moved, report=report)
        except ImmutableError:
            refuse_to_replace(registration, before, Step.REPLACE)
            result = made.apply(is_in_state=is_ready, recreate=True, report=report)
        return replace(result, step=Step.REPLACE) if is_moved else result

    def _wait(self, made: KubernetesObject, result: Result, before: Entry | None) -> Result:
        if self._ledger.preview or result.step is Step.SAME:
            return result
        urn = made.registration.urn
        try:
            outcome = made.wait(self._ledger.display.waiting(urn), is_new=before is None)
        finally:
            self._ledger.display.settled(urn)
        return replace(result, outcome=outcome)
