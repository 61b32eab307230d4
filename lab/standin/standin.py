"""
The stand-in: a monitor that applies the registrations that it receives, or only compares them.

Owns the choice of the component that applies each type, and refuses unsupported types by name.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Final

from pulumi.runtime.rpc import UNKNOWN

from errors import UserError
from lab.standin import clusters as providers
from lab.standin import paths, rancher_servers
from lab.standin.ledger import Ledger, Result
from lab.standin.objects import Objects
from lab.standin.plan import Step, differences
from lab.standin.providers import helm, kubernetes, rancher2, random, tls
from lab.standin.rancher_resources import RancherResources
from recorder.monitor import Monitor
from recorder.registrations import Outcome, Reading, Registration
from recorder.values import Secret, has_unknown, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from pathlib import Path

    from lab.standin.clusters import Clusters, Place
    from lab.standin.providers.local import LocalType
    from lab.standin.rancher_servers import RancherServers
    from lab.standin.state import Entry
    from recorder.values import Properties

_LOCAL: Final[dict[str, LocalType]] = {**tls.TYPES, **random.TYPES}
_PROVIDERS: Final = frozenset({providers.TYPE, rancher_servers.TYPE, "pulumi:providers:random", "pulumi:providers:tls"})


class StandIn(Monitor):
    """Applies registrations; a preview only compares them."""

    def __init__(  # noqa: PLR0913 - the parts of a run
        self,
        *,
        project: str,
        stack: str,
        ledger: Ledger,
        clusters: Clusters,
        servers: RancherServers,
        helm_binary: Callable[[], Path],
    ) -> None:
        super().__init__(project=project, stack=stack, preview=ledger.preview)
        self._ledger = ledger
        self._clusters = clusters
        self._servers = servers
        self._helm_binary = helm_binary
        self._objects = Objects(ledger, clusters)
        self._rancher = RancherResources(ledger, servers)
        self._stopped = Event()
        self.failures: dict[str, str] = {}
        """The error texts, by URN or function."""

    @property
    def claimed(self) -> Container[Place]:
        """The objects that the program declares, complete after it has succeeded."""
        return self._objects.claimed

    def apply(self, registration: Registration) -> Outcome:
        """Apply a registration, or compare it in a preview."""
        if self._stopped.is_set():
            raise UserError(f"{registration.name} is not applied, because another resource failed")
        self._ledger.display.hide(registration.inputs)
        try:
            outcome = self._dispatch(registration)
        except Exception as error:
            self._fail(registration.urn, error)
            raise
        outcome = replace(outcome, outputs=_with_secrets(outcome.outputs, registration.additional_secret_outputs))
        self._ledger.display.hide(outcome.outputs)
        return outcome

    def read(self, reading: Reading) -> Outcome:
        """Read a Kubernetes object that exists."""
        try:
            outcome = self._read(reading)
        except Exception as error:
            self._fail(reading.urn, error)
            raise
        self._ledger.display.hide(outcome.outputs)
        return outcome

    def _read(self, reading: Reading) -> Outcome:
        if not kubernetes.is_object(reading.type):
            raise UserError(f"{reading.type}.get is not supported by the stand-in")
        cluster = self._clusters.of(reading.provider)
        if reading.id == UNKNOWN or cluster is None:
            return Outcome()
        return kubernetes.read(cluster, reading.type, reading.id)

    def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
        """Render a chart; every other function is refused by name."""
        try:
            return self._template(token, arguments, provider)
        except Exception as error:
            self._fail(token, error)
            raise

    def _template(self, token: str, arguments: Properties, provider: str) -> Properties:
        if token != helm.TEMPLATE:
            raise UserError(f"the function {token} is not supported by the stand-in")
        if not self._clusters.is_unreachable(provider or None):
            raise UserError(
                f"{token} with a cluster is not supported by the stand-in",
                "Pass it a provider whose kubeconfig is a text that is no kubeconfig",
            )
        return helm.template(arguments, self._helm_binary)

    def _fail(self, urn: str, error: Exception) -> None:
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        with self._lock:
            self.failures[urn] = text
        if not self.preview:
            self._stopped.set()

    def _dispatch(self, registration: Registration) -> Outcome:
        type_ = registration.type
        if unsupported := _unsupported(registration):
            raise UserError(f"the option {', '.join(unsupported)} is not supported by the stand-in")
        if type_ in _LOCAL:
            return _LOCAL[type_].apply(registration, self._ledger)
        if type_ in rancher2.TYPES:
            return self._rancher.apply(registration)
        if type_ in _PROVIDERS:
            return self._provider(registration)
        if registration.custom and kubernetes.is_object(type_):
            return self._objects.apply(registration)
        if registration.custom or registration.remote:
            raise UserError(f"the type {type_} is not supported by the stand-in")
        step = Step.SAME if self._ledger.before(registration) else Step.CREATE
        self._ledger.keep(registration, Result(step, Outcome()), inputs={})
        return Outcome()

    def _provider(self, registration: Registration) -> Outcome:
        before = self._ledger.before(registration)
        if registration.type == providers.TYPE:
            self._add_cluster(registration, before)
        elif registration.type == rancher_servers.TYPE:
            self._servers.add(registration)
        elif registration.inputs:
            raise UserError(f"{', '.join(registration.inputs)} is not supported")
        fields = tuple(differences(before.inputs, registration.inputs)) if before else ()
        step = Step.CREATE if before is None else Step.UPDATE if fields else Step.SAME
        # Known in a preview as well, because a provider with an unknown id would make all its resources unknown.
        id_ = hashlib.sha256(registration.urn.encode()).hexdigest()[:32]
        outcome = Outcome(id=id_, outputs=registration.inputs)
        self._ledger.keep(registration, Result(step, outcome, fields), inputs=registration.inputs)
        return outcome

    def _add_cluster(self, provider: Registration, before: Entry | None) -> None:
        self._clusters.add(provider, before)
        if self._clusters.skips_unreachable(provider.urn) and self._clusters.is_unreachable(provider.urn):
            self._ledger.display.note(
                f"{provider.name}: its cluster is unreachable, so its objects are skipped and stay as they are "
                "(skipUpdateUnreachable)"
            )
        elif before is not None and has_unknown(provider.inputs) and self._clusters.of(provider.urn) is None:
            self._ledger.display.note(
                f"{provider.name}: its kubeconfig is known only after an update, and the last one is not valid "
                "any more, so its objects are not compared and count as unchanged"
            )


def _unsupported(registration: Registration) -> list[str]:
    """Return the options that would otherwise be ignored without notice."""
    type_ = registration.type
    has_no_values = not registration.custom or type_ in _PROVIDERS
    options = {
        # Every Rancher provider has some, and they are already secret as inputs.
        "additionalSecretOutputs": has_no_values
        and type_ != rancher_servers.TYPE
        and registration.additional_secret_outputs,
        "customTimeouts.delete": "delete" in registration.custom_timeouts,
        # An object with a fixed name is always deleted first.
        "deleteBeforeReplace": registration.delete_before_replace and not kubernetes.is_object(type_),
        "ignoreChanges": has_no_values and registration.ignore_changes,
        "replacementTrigger": has_no_values and registration.replacement_trigger is not None,
    }
    items = [f"ignoreChanges {path}" for path in registration.ignore_changes if isinstance(paths.parse(path)[-1], int)]
    return [*registration.other_options, *(name for name, is_given in options.items() if is_given), *items]


def _with_secrets(outputs: Properties, names: Iterable[str]) -> Properties:
    return {**outputs, **{name: Secret(reveal(outputs[name])) for name in names if name in outputs}}
