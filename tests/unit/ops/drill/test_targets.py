"""The parts of a cluster that a drill takes down, and their restore in every case."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from config.parsing import parse
from config.schema import Cluster
from errors import UserError
from ops.cluster.calls import ApiError
from ops.cluster.views import Workload
from ops.drill.scenario import FailureMode, Scenario, Target
from ops.drill.targets import ClusterTarget
from tests.support.api_double import POD_IP, ApiDouble
from tests.support.stacks import LAB, load_values

SCENARIOS = [Scenario(target=target, failure_mode=failure_mode) for target in Target for failure_mode in FailureMode]
GATEWAYS = ("istio-system/istio-ingressgateway", "istio-system/istio-eastwestgateway")


@dataclass
class FaultsDouble:
    """Records the current cuts and all calls."""

    cut_off: list[tuple[str, Sequence[str] | None, bool]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    during_heal: Callable[[], None] = lambda: None

    def cut(self, cluster: str, pods: Sequence[str] | None = None, *, is_silent: bool) -> None:
        """Record a cut."""
        self.done.append("cut")
        self.cut_off.append((cluster, pods, is_silent))

    def heal(self, _cluster: str) -> None:
        """Remove all cuts."""
        self.during_heal()
        self.done.append("heal")
        self.cut_off.clear()


@pytest.fixture
def api() -> ApiDouble:
    """Return the drilled cluster's API, in which every Deployment has three replicas."""
    double = ApiDouble()
    double.deployment = lambda *_: Workload(wanted=3, ready=3)  # type: ignore[method-assign]
    return double


@pytest.fixture
def faults() -> FaultsDouble:
    """Return the double that records cuts."""
    return FaultsDouble()


def east(*versions: str) -> Cluster:
    """Return the lab's first cluster."""
    values = load_values(LAB)
    first, *others = values["clusters"]
    return parse({**values, "v2Weight": 0, "clusters": [{**first, "versions": versions}, *others]}).clusters[0]


def drilled(api: ApiDouble, faults: FaultsDouble, said: list[str] | None = None) -> ClusterTarget:
    """Return a target with both versions, and a clock that shows second 7."""
    told = said if said is not None else []
    return ClusterTarget(cluster=east("v1", "v2"), api=api, faults=faults, progress=told.append, now=lambda: 7.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "taken"),
    [(Target.HELLOWORLD, ("sample/helloworld-v1", "sample/helloworld-v2")), (Target.GATEWAYS, GATEWAYS)],
)
def test_what_refuses_is_scaled_to_nothing_and_back_to_exactly_what_it_was(
    api: ApiDouble, faults: FaultsDouble, target: Target, taken: tuple[str, ...]
) -> None:
    """The drill scales each Deployment of the target, and cuts nothing off."""
    with drilled(api, faults).without(Scenario(target=target, failure_mode=FailureMode.RESET)) as cut:
        assert cut == 7
        assert api.scaled == [(name, 0) for name in taken]
    assert api.scaled[len(taken) :] == [(name, 3) for name in taken]
    assert faults.done == []


@pytest.mark.parametrize(("target", "pods"), [(Target.HELLOWORLD, [POD_IP]), (Target.GATEWAYS, [POD_IP, POD_IP])])
def test_what_is_silent_is_cut_off_by_its_pods(
    api: ApiDouble, faults: FaultsDouble, target: Target, pods: list[str]
) -> None:
    """The drill scales no Deployment, so the API still has the same objects."""
    api.pods = lambda *place: ApiDouble.pods(api, *place)[:1]  # type: ignore[method-assign]
    api.pods_there = {"istio-eastwestgateway-5f": ApiDouble.pods(api, "", "app=istiod")[0]}
    with drilled(api, faults).without(Scenario(target=target, failure_mode=FailureMode.BLACKHOLE)):
        assert faults.cut_off == [("east", pods, True)]
    assert (faults.cut_off, faults.done, api.scaled) == ([], ["cut", "heal"], [])


@pytest.mark.parametrize("failure_mode", FailureMode)
def test_a_node_is_cut_off_as_a_whole(api: ApiDouble, faults: FaultsDouble, failure_mode: FailureMode) -> None:
    """This holds for both failure modes. The cluster's API is not queried, because it may not answer."""
    api.refuses = dict.fromkeys(("deployment", "pods", "scale"), "asked")
    with drilled(api, faults).without(Scenario(target=Target.NODE, failure_mode=failure_mode)):
        assert faults.cut_off == [("east", None, failure_mode is FailureMode.BLACKHOLE)]
    assert faults.cut_off == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda it: f"{it.target} {it.failure_mode}")
def test_an_interrupt_gives_all_of_it_back(api: ApiDouble, faults: FaultsDouble, scenario: Scenario) -> None:
    """The target is restored after an interrupt, as after an error."""
    with pytest.raises(KeyboardInterrupt), drilled(api, faults).without(scenario):
        raise KeyboardInterrupt
    assert faults.cut_off == []
    assert dict(api.scaled) == dict.fromkeys(dict(api.scaled), 3)


def test_a_cut_that_fails_halfway_is_taken_back(api: ApiDouble, faults: FaultsDouble) -> None:
    """The first of two Deployments is already scaled to zero."""
    first: list[str] = []

    def scale(namespace: str, name: str, replicas: int) -> None:
        if first and not replicas:
            raise ApiError("the API answered 403 Forbidden")
        first.append(name)
        ApiDouble.scale(api, namespace, name, replicas)

    api.scale = scale  # type: ignore[method-assign]
    with (
        pytest.raises(ApiError, match="403"),
        drilled(api, faults).without(Scenario(target=Target.GATEWAYS, failure_mode=FailureMode.RESET)),
    ):
        pytest.fail("it was not taken away")
    assert dict(api.scaled) == dict.fromkeys(GATEWAYS, 3)


def test_no_signal_keeps_it_from_being_given_back(api: ApiDouble, faults: FaultsDouble) -> None:
    """A user may press Ctrl-C twice. The signal handler is restored afterwards."""
    before = signal.getsignal(signal.SIGINT)

    def again() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    faults.during_heal = again
    with drilled(api, faults).without(Scenario(target=Target.NODE, failure_mode=FailureMode.BLACKHOLE)):
        pass
    assert faults.done == ["cut", "heal"]
    assert signal.getsignal(signal.SIGINT) is before


def test_replicas_that_could_not_be_given_back_are_told(
    api: ApiDouble, faults: FaultsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message contains their number, and the drill still restores the other Deployments."""
    monkeypatch.setattr("ops.drill.targets._RESTORE_SECONDS", 0)
    said: list[str] = []

    def scale(namespace: str, name: str, replicas: int) -> None:
        if replicas and "ingress" in name:
            raise ApiError("no connection: timed out")
        ApiDouble.scale(api, namespace, name, replicas)

    api.scale = scale  # type: ignore[method-assign]
    with drilled(api, faults, said).without(Scenario(target=Target.GATEWAYS, failure_mode=FailureMode.RESET)):
        pass
    assert dict(api.scaled) == {GATEWAYS[0]: 0, GATEWAYS[1]: 3}
    assert "\n".join(said) == (
        "Deployment istio-system/istio-ingressgateway of east is still scaled to 0: no connection: timed out\n"
        "scale it back to 3"
    )


def test_where_there_is_nothing_to_take_away_it_says_so(api: ApiDouble, faults: FaultsDouble) -> None:
    """An empty list of pods never means the whole node."""
    api.pods = lambda *_: ()  # type: ignore[method-assign]
    for number, deployment in enumerate((None, Workload(wanted=0, ready=0))):
        api.deployment = lambda *_, found=deployment: found  # type: ignore[method-assign]
        for failure_mode in FailureMode:
            scenario = Scenario(target=Target.HELLOWORLD, failure_mode=failure_mode)
            with pytest.raises(UserError, match=r"has no (Deployment|pods)"), drilled(api, faults).without(scenario):
                pytest.fail(f"it was taken away: {number}")
    assert (faults.done, api.scaled) == ([], [])


def test_its_pods_are_known_by_name(api: ApiDouble, faults: FaultsDouble) -> None:
    """The names identify the answers of these pods."""
    assert drilled(api, faults).instances() == {"helloworld-v1-5f"}
