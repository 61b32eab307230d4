"""The drill restores what it takes down. It does so at its end and at a signal; after a kill, `lab heal` does it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from lab.engines import Engine
from lab.machine.command import inside, run
from lab.spec import ClusterSpec, clusters
from lab.stacks import STACK
from mesh import names
from ops.drill.report import DrillReport, Phase, ScenarioRow
from ops.drill.scenario import FailureMode, ScenarioKind, Target
from ops.traffic.source import TrafficSource
from tests.e2e.breakages import Cluster
from tests.e2e.checkout import COMMAND_SECONDS, Checkout, environment, faults_once_settled, run_module
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e

EAST, WEST = clusters(2)
HALF = 50
INTERRUPTED = 130
REGIONS = {EAST.name: "eu", WEST.name: "us"}
DEPLOYMENTS = {
    names.APP_NAMESPACE: (names.version_deployment("v1"), names.version_deployment("v2")),
    names.ISTIO_NAMESPACE: (names.INGRESS_GATEWAY, names.EASTWEST_GATEWAY),
}
FIRST = {(Target.HELLOWORLD, FailureMode.RESET), (Target.NODE, FailureMode.BLACKHOLE)}
"""The drills that CI has time for."""


@pytest.fixture(scope="module")
def mesh(lab: Lab, engine: Engine, checkout: Checkout) -> Mapping[str, Cluster]:
    """Return a mesh in which either cluster can serve alone."""
    both = [
        {**cluster, "versions": ["v1", "v2"], "locality": {"region": REGIONS[cluster["name"]]}}
        for cluster in checkout.config("clusters")
    ]
    checkout.configure(clusters=both, v2Weight=HALF)
    checkout.deploy("up", engine).must_succeed()
    found = {spec.name: Cluster(str(spec.kubeconfig)) for spec in lab.clusters}
    assert faults_once_settled(checkout) == []
    return found


@pytest.fixture
def _unchanged(mesh: Mapping[str, Cluster], checkout: Checkout) -> object:
    """Check that the test leaves the mesh as it was."""
    before = replicas(mesh[EAST.name])
    yield
    assert replicas(mesh[EAST.name]) == before
    assert cuts(EAST) == []
    assert client_pods(mesh) == []
    assert faults_once_settled(checkout) == []


@pytest.fixture
def _v2_in_east_alone(mesh: Mapping[str, Cluster], checkout: Checkout, engine: Engine) -> Iterator[None]:
    """Run v2 in east only, so half of all requests fail while east is down, and only an `up` can end that."""
    del mesh  # deployed first
    both = checkout.config("clusters")
    versions = {EAST.name: ["v1", "v2"], WEST.name: ["v1"]}
    checkout.configure(clusters=[{**cluster, "versions": versions[cluster["name"]]} for cluster in both])
    checkout.deploy("up", engine).must_succeed()
    assert faults_once_settled(checkout) == []
    yield
    checkout.configure(clusters=both)
    checkout.deploy("up", engine).must_succeed()


@pytest.mark.usefixtures("_unchanged", "_v2_in_east_alone")
def test_an_up_moves_the_traffic_off_a_lost_cluster_and_another_one_moves_it_back(
    checkout: Checkout, engine: Engine
) -> None:
    """After the first `up` no request fails. The second one restores the split. The stack file is unchanged."""
    file = checkout.root / f"Pulumi.{STACK}.yaml"
    before = file.read_text()
    how = ("--scenario", ScenarioKind.AWAY, "--failure-mode", FailureMode.BLACKHOLE)
    done = checkout.run("ops", "drill", "--stack", STACK, "--json", *how)
    assert done.stdout.startswith("{"), done.text
    report = DrillReport.model_validate_json(done.stdout)
    (scenario,) = report.scenarios
    assert done.code == 0, f"lost: {scenario.lost}\n{done.text}"
    assert list(scenario.starts) == list(Phase)
    for source in scenario.sources:
        healthy, dead, away, _, _ = source.phases
        assert healthy.failed == 0
        if source.cluster == WEST.name:
            assert dead.failed > 0, "without an `up` nothing would have been lost either"
            assert away.shares == {"v1": 1.0}
    assert file.read_text() == before
    checkout.deploy("preview", engine, "--expect-no-changes").must_succeed()


@pytest.mark.nightly
@pytest.mark.usefixtures("_unchanged")
def test_a_drill_that_is_interrupted_after_its_up_leaves_one_up_to_do(checkout: Checkout, engine: Engine) -> None:
    """The `up` uses the stack file as it is."""
    options = ("--scenario", ScenarioKind.AWAY)
    ended = end_when_away(checkout, Target.NODE, FailureMode.BLACKHOLE, signal.SIGINT, *options)
    assert ended == INTERRUPTED
    checkout.deploy("up", engine).must_succeed()


@pytest.mark.parametrize(
    ("target", "failure_mode"),
    [
        pytest.param(target, failure_mode, marks=[] if (target, failure_mode) in FIRST else [pytest.mark.nightly])
        for target in Target
        for failure_mode in FailureMode
    ],
)
@pytest.mark.usefixtures("_unchanged")
def test_what_is_taken_away_is_taken_over_and_comes_back(
    checkout: Checkout, target: Target, failure_mode: FailureMode
) -> None:
    """Traffic moves within the bound and without an action of the user. Meanwhile the target's ingress fails."""
    done = checkout.run("ops", "drill", "--stack", STACK, "--json", "--target", target, "--failure-mode", failure_mode)
    assert done.stdout.startswith("{"), done.text
    report = DrillReport.model_validate_json(done.stdout)
    assert (done.code == 0) == report.ok, done.text
    (scenario,) = report.scenarios
    assert scenario.bound_seconds is not None
    assert [source for source in scenario.sources if not source.ok] == [], done.text
    assert {(source.cluster, source.kind) for source in scenario.sources} == {
        (spec.name, kind) for spec in (EAST, WEST) for kind in TrafficSource
    }
    assert_taken_away(scenario, target)


def assert_taken_away(scenario: ScenarioRow, target: Target) -> None:
    """Check that the target was really down. Otherwise the drill proves nothing."""
    for source in scenario.sources:
        healthy, away, _ = source.phases
        assert healthy.failed == 0
        # With failover, each cluster's own pods answer its requests as long as they exist.
        assert healthy.drilled_share == (1 if source.cluster == EAST.name else 0)
        if target is Target.HELLOWORLD and source.cluster == EAST.name:
            assert away.drilled_share < healthy.drilled_share / 2
        # The pods of an isolated node still reach each other.
        if source.away and source.kind is TrafficSource.INGRESS:
            assert away.failed > away.requests / 2


@pytest.mark.parametrize(
    ("target", "failure_mode", "number"),
    [
        pytest.param(Target.NODE, FailureMode.BLACKHOLE, signal.SIGINT, marks=pytest.mark.nightly),
        (Target.GATEWAYS, FailureMode.RESET, signal.SIGTERM),
    ],
)
@pytest.mark.usefixtures("_unchanged")
def test_a_drill_that_is_interrupted_gives_back_what_it_took(
    checkout: Checkout, target: Target, failure_mode: FailureMode, number: signal.Signals
) -> None:
    """The signal comes while the target is down."""
    assert end_when_away(checkout, target, failure_mode, number) == INTERRUPTED


def test_what_a_killed_drill_leaves_is_healed(mesh: Mapping[str, Cluster], checkout: Checkout) -> None:
    """`lab heal` removes the cut, which is a rule and not a process, so it needs nothing of the drill."""
    assert end_when_away(checkout, Target.NODE, FailureMode.BLACKHOLE, signal.SIGKILL) == -signal.SIGKILL
    assert cuts(EAST) != []
    run_module(checkout.root, "lab", "heal", EAST.name).must_succeed()
    assert cuts(EAST) == []
    for cluster in mesh.values():
        for pod in client_pods({"": cluster}):
            cluster.core.delete_namespaced_pod(pod, names.APP_NAMESPACE, grace_period_seconds=0)
    assert faults_once_settled(checkout) == []


def test_no_other_stack_is_drilled(checkout: Checkout) -> None:
    """The clusters of other stacks may serve users."""
    done = checkout.run("ops", "drill", "--stack", "mcsps-test")
    assert done.code == 2
    assert "These clusters have no kubeconfig of the lab" in done.stderr


def end_when_away(
    checkout: Checkout, target: Target, failure_mode: FailureMode, number: signal.Signals, *options: str
) -> int:
    """Send a signal to a drill as soon as its target is down, and return the drill's exit code."""
    with subprocess.Popen(  # noqa: S603 - the project's own module
        (
            sys.executable,
            "-m",
            "ops",
            "drill",
            "--stack",
            STACK,
            "--seconds=5",
            "--target",
            target,
            "--failure-mode",
            failure_mode,
            *options,
        ),
        cwd=checkout.root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.rstrip().endswith(": away"):
                os.kill(process.pid, number)
                break
        else:
            pytest.fail(f"nothing was taken away:\n{''.join(said)}")
        process.communicate(timeout=COMMAND_SECONDS)
        return process.returncode


def cuts(spec: ClusterSpec) -> list[str]:
    """Return the rules in the node's own packet filter that cut it off."""
    return [line for line in run(*inside(str(spec.netns_path), None, ("iptables-save",))).splitlines() if "cut" in line]


def replicas(cluster: Cluster) -> dict[str, int]:
    """Return the desired number of replicas of each Deployment."""
    return {
        name: cluster.apps.read_namespaced_deployment(name, namespace).spec.replicas
        for namespace, deployments in DEPLOYMENTS.items()
        for name in deployments
    }


def client_pods(mesh: Mapping[str, Cluster]) -> list[str]:
    """Return the client pods that exist and are not being deleted."""
    return [
        pod.metadata.name
        for cluster in mesh.values()
        for pod in cluster.core.list_namespaced_pod(names.APP_NAMESPACE).items
        if pod.metadata.name.startswith("mcsps-verify-") and not pod.metadata.deletion_timestamp
    ]
