"""Takes down a cluster or a part of it, and restores it in every case."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from config.schema import Cluster
from errors import UserError
from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.polling import Poller
from ops.drill.scenario import FailureMode, Faults, Scenario, Target

_RESTORE_SECONDS = 60
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_GATEWAYS = (names.INGRESS_GATEWAY, names.EASTWEST_GATEWAY)


@dataclass(frozen=True, kw_only=True)
class ClusterTarget:
    """
    A live cluster, of which parts can be taken down and restored.

    Attributes:
        progress: Receives a line on what could not be restored.
        now: Seconds since 1970.
    """

    cluster: Cluster
    api: ClusterApi
    faults: Faults
    progress: Callable[[str], None]
    now: Callable[[], float] = time.time

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster.name

    def instances(self) -> frozenset[str]:
        """
        Return the names of its helloworld pods.

        Raises:
            ApiError: Its API does not answer.
        """
        return frozenset(pod.name for pod in self.api.pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}"))

    @contextlib.contextmanager
    def without(self, scenario: Scenario) -> Iterator[float]:
        """
        Take down what a scenario names, and restore it at the end; yields the moment of the cut, in seconds since 1970.

        Deployments return to exactly the replicas that they had. A signal does not interrupt the restore.

        Raises:
            ApiError: Its API does not answer, or does not scale.
            UserError: There is nothing to take down.
        """
        if scenario.target is Target.NODE:
            taken = self._cut_off(scenario, pods=None)
        elif scenario.failure_mode is FailureMode.BLACKHOLE:
            taken = self._cut_off(scenario, pods=self._pods(scenario.target))
        else:
            taken = self._scaled_down(scenario.target)
        with taken as cut:
            yield cut

    @contextlib.contextmanager
    def _cut_off(self, scenario: Scenario, pods: list[str] | None) -> Iterator[float]:
        try:
            cut = self.now()
            self.faults.cut(self.name, pods, is_silent=scenario.failure_mode is FailureMode.BLACKHOLE)
            yield cut
        finally:
            with _ignoring_signals():
                self._heal()

    @contextlib.contextmanager
    def _scaled_down(self, target: Target) -> Iterator[float]:
        replicas = {(namespace, name): self._replicas(namespace, name) for namespace, name in self._deployments(target)}
        try:
            cut = self.now()
            for namespace, name in replicas:
                self.api.scale(namespace, name, 0)
            yield cut
        finally:
            with _ignoring_signals():
                for (namespace, name), wanted in replicas.items():
                    self._scale_back(namespace, name, wanted)

    def _deployments(self, target: Target) -> list[tuple[str, str]]:
        if target is Target.GATEWAYS:
            return [(names.ISTIO_NAMESPACE, gateway) for gateway in _GATEWAYS]
        return [(names.APP_NAMESPACE, names.version_deployment(version)) for version in self.cluster.versions]

    def _replicas(self, namespace: str, name: str) -> int:
        found = self.api.deployment(namespace, name)
        if found is None or not found.wanted:
            raise UserError(
                f"{self.name} has no Deployment {namespace}/{name} with pods", "Run: make verify STACK=<stack>"
            )
        return found.wanted

    def _pods(self, target: Target) -> list[str]:
        places = (
            [(names.ISTIO_NAMESPACE, f"app={gateway}") for gateway in _GATEWAYS]
            if target is Target.GATEWAYS
            else [(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")]
        )
        found = [pod.ip for place in places for pod in self.api.pods(*place) if pod.ip]
        if not found:
            raise UserError(f"{self.name} has no pods of {target}", "Run: make verify STACK=<stack>")
        return found

    def _heal(self) -> None:
        try:
            self.faults.heal(self.name)
        except Exception:
            self.progress(f"{self.name} is still cut off; restore it: python -m lab heal {self.name}")
            raise

    def _scale_back(self, namespace: str, name: str, wanted: int) -> None:
        # What interrupts the drill does not interrupt this.
        poller = Poller(seconds=_RESTORE_SECONDS)
        try:
            poller.retry(lambda: self.api.scale(namespace, name, wanted), ApiError)
        except ApiError as error:
            self.progress(f"Deployment {namespace}/{name} of {self.name} is still scaled to 0: {error}")
            self.progress(f"scale it back to {wanted}")


@contextlib.contextmanager
def _ignoring_signals() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
