"""Kubernetes objects and charts in a run: a preview compares them, an update applies them and waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from errors import UserError
from lab.standin.cluster import ImmutableError
from lab.standin.ledger import Ledger, Result, is_triggered, refuse_to_replace
from lab.standin.order import run_in_order
from lab.standin.plan import Step
from lab.standin.providers import helm
from lab.standin.providers.kubernetes import KubernetesObject, identity_in, is_object
from recorder.registrations import Outcome, Registration
from recorder.values import Reference, Unknown, has_unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.standin.clusters import Clusters, Place
    from lab.standin.state import Entry

_TOGETHER: Final = 24
"""The number of objects of one chart to process in parallel."""


class Objects:
    """Compares or applies the resources that are objects on clusters."""

    def __init__(self, ledger: Ledger, clusters: Clusters, helm_binary: Callable[[], Path]) -> None:
        self._ledger = ledger
        self._clusters = clusters
        self._helm = helm_binary
        self._own = {self._place_of(entry) for entry in ledger.state.entries().values() if is_object(entry.type)}
        self.unexpanded: set[str] = set()
        """The URNs of charts whose objects a preview does not know yet."""
        self.claimed: set[Place] = set()
        """The objects that the program has declared so far."""

    def apply(self, registration: Registration) -> Outcome:
        """Bring one object to the state that the program declares."""
        return self._finish(*self._start(registration))

    def render(self, chart: Registration) -> list[Registration] | None:
        """
        Render a chart into registrations of its objects; None while an input is not known.

        Raises:
            UserError: Helm cannot render the chart.
        """
        provider = chart.providers.get("kubernetes") or chart.provider
        cluster = self._clusters.of(provider)
        step = Step.SAME if self._ledger.before(chart) else Step.CREATE
        self._ledger.keep(chart, Result(step, Outcome()), inputs={})
        if cluster is None or has_unknown(chart.inputs):
            self.unexpanded.add(chart.urn)
            self._ledger.display.note(f"Chart {chart.name}: its objects are known once its inputs are")
            return None
        manifests = helm.render(chart, cluster, self._helm, self._clusters.namespace_of(provider))
        return [helm.child(chart, manifest) for manifest in manifests]

    def apply_all(self, children: list[Registration]) -> dict[str, Outcome]:
        """
        Apply a chart's objects, each when its dependencies are ready.

        Raises:
            UserError: Some objects failed; the message contains all their errors.
        """
        by_urn = {child.urn: child for child in children}
        ranks = {urn: rank for rank, urn in enumerate(by_urn)}
        outcomes: dict[str, Outcome] = {}
        errors: list[str] = []

        def work(urn: str) -> bool:
            try:
                outcomes[urn] = self._finish(*self._start(by_urn[urn]))
            except UserError as error:
                errors.append(str(error))
                return False
            return True

        run_in_order(helm.needs(children), work, _TOGETHER, ranks.__getitem__)
        if errors:
            raise UserError("; ".join(errors))
        return {urn: outcomes[urn] for urn in by_urn}

    def _start(self, registration: Registration) -> tuple[KubernetesObject, Result, Entry | None]:
        cluster = self._clusters.of(registration.provider)
        made = KubernetesObject.of(registration, cluster, self._clusters.namespace_of(registration.provider))
        before = self._ledger.before(registration)
        try:
            is_moved = self._claim(made, before)
            recreate = is_triggered(registration, before)
            if self._ledger.preview:
                result = made.preview(is_in_state=before is not None)
                if is_moved or recreate:
                    result = replace(result, step=Step.REPLACE)
                refuse_to_replace(registration, before, result.step)
            else:
                result = self._apply(made, before, is_moved=is_moved, recreate=recreate)
        except UserError as error:
            where = cluster.name if cluster else "a cluster that is not known yet"
            raise UserError(f"{made.identity or registration.name} in {where}: {error}") from None
        return made, result, before

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

    def _finish(self, made: KubernetesObject, result: Result, before: Entry | None) -> Outcome:
        registration = made.registration
        if not self._ledger.preview and result.step is not Step.SAME:
            try:
                outcome = made.wait(self._ledger.display.waiting(registration.urn), is_new=before is None)
            finally:
                self._ledger.display.settled(registration.urn)
            result = replace(result, outcome=outcome)
        self._ledger.keep(registration, result, inputs=made.name)
        return result.outcome


def references(outcomes: dict[str, Outcome]) -> list[Reference]:
    """Return references to a chart's objects, for its output `resources`."""
    return [Reference(urn, outcome.id or Unknown()) for urn, outcome in outcomes.items()]
