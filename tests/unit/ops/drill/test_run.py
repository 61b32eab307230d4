"""The command `drill`, from its options to its exit code, on doubles of clusters."""

import ast
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ops.drill.run
from errors import UserError
from lab import engines, spec
from lab import faults as lab_faults
from lab.machine import lock
from ops import cli
from ops.cluster.client_pod import LIFETIME
from ops.drill import lab_faults as drilled_lab
from ops.drill.scenario import FailureMode, Target
from ops.drill.timeline import Conductor
from ops.traffic.source import TrafficSource
from tests.support.api_double import ApiDouble, pod
from tests.support.drilled import DRILLED, STAYING, Loop, World
from tests.support.stacks import ROOT

STACK = """
config:
  mcsps:mesh: {{id: mesh1}}
  mcsps:v2Weight: 10
  mcsps:clusters:
    - {{name: east, network: network-east, versions: [v1, v2], access: {{kind: kubeconfig, path: {east}}}}}
    - {{name: west, network: network-west, versions: [v1, v2], access: {{kind: kubeconfig, path: {west}}}}}
"""
EAST, WEST = spec.clusters(2)
RULE = {
    "trafficPolicy": {
        "outlierDetection": {"consecutive5xxErrors": 1, "interval": "1s"},
        "connectionPool": {"tcp": {"connectTimeout": "1s"}},
    }
}
ROUTES = {"http": [{"retries": {"attempts": 2, "perTryTimeout": "2s"}}]}
EVERYBODYS = {"user-agent": "mcsps-verify", "accept": "*/*"}


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Restore the signal handlers after each test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def world() -> World:
    """Return the double that answers the requests."""
    return World()


@pytest.fixture
def apis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[dict[str, ApiDouble]]:
    """Yield the APIs of a stack `lab` of two clusters in this world; they must be empty after the test."""
    doubles = {name: ApiDouble(name) for name in (DRILLED, STAYING)}
    for double in doubles.values():
        double.istio_specs = {"destinationrules": RULE, "virtualservices": ROUTES}
    (tmp_path / "Pulumi.lab.yaml").write_text(STACK.format(east=EAST.kubeconfig, west=WEST.kubeconfig))

    @contextlib.contextmanager
    def ingress_loop(cluster: str, _address: str, _rate: float, *, headers: Mapping[str, str]) -> Iterator[Loop]:
        assert headers == EVERYBODYS
        yield Loop(world=world, cluster=cluster, kind=TrafficSource.INGRESS)

    def client_loop(*, cluster: str, api: ApiDouble, pod: str) -> Loop:
        assert pod in api.pods_there
        return Loop(world=world, cluster=cluster, kind=TrafficSource.CLIENT)

    monkeypatch.setattr(cli, "_ROOT", tmp_path)
    monkeypatch.setattr("ops.cluster.connect.connect", lambda *_: doubles)
    monkeypatch.setattr(ops.drill.run, "ingress_loop", ingress_loop)
    monkeypatch.setattr(ops.drill.run, "ClientLoop", client_loop)
    monkeypatch.setattr(ops.drill.run, "ClusterTarget", lambda **_: world)
    monkeypatch.setattr(ops.drill.run, "Conductor", partial(Conductor, now=world.now, wait=world.wait))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-lab-test-{os.getpid()}")
    monkeypatch.setattr(lab_faults, "existing", lambda: spec.clusters(2))
    monkeypatch.setattr(lab_faults, "run", lambda *_, **__: pytest.fail("a unit test would cut the lab"))
    yield doubles
    assert [double.pods_there for double in doubles.values()] == [{}, {}], "a client pod was left behind"


def run(*arguments: str, stack: str = "lab") -> tuple[int, str, str]:
    """Return the exit code, standard output and standard error of `python -m ops drill`."""
    done = CliRunner().invoke(cli.app, ["drill", "--stack", stack, *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), "a traceback reached the person"
    return done.exit_code, done.stdout, done.stderr


def test_a_drill_that_holds_ends_with_zero_and_a_table_for_each_scenario(
    apis: dict[str, ApiDouble], world: World
) -> None:
    """By default it takes down every part of the first cluster, in both failure modes."""
    code, out, err = run()
    assert code == 0, out
    assert "passed: 6 of 6 scenarios" in out
    assert [(it.target, it.failure_mode) for it in world.scenarios] == [
        (what, how) for what in Target for how in FailureMode
    ]
    assert "node of east, blackhole: away" in err
    assert [len(double.ever_created) for double in apis.values()] == [1, 1]


@pytest.mark.usefixtures("apis")
def test_json_is_all_that_standard_output_gets(tmp_path: Path) -> None:
    """The JSON contains only the requested scenarios, and the drill also draws the picture."""
    picture = tmp_path / "drill.svg"
    code, out, _ = run("--json", "--target", "node", "--failure-mode", "blackhole", "--picture", str(picture))
    said = json.loads(out)
    assert code == 0
    assert [(it["target"], it["failureMode"]) for it in said["scenarios"]] == [("node", "blackhole")]
    assert said["scenarios"][0]["boundSeconds"] == pytest.approx((1 + 3.29) * 2 + 1 + 2)
    assert picture.read_bytes().startswith(b"<?xml")


@pytest.mark.usefixtures("apis")
def test_a_drill_that_does_not_hold_ends_with_one(world: World) -> None:
    """The report is printed as well."""
    world.detection_seconds = 30
    code, out, _ = run("--target", "node")
    assert code == 1
    assert "FAILED: 0 of 2 scenarios" in out


@pytest.fixture
def updated(monkeypatch: pytest.MonkeyPatch, world: World) -> World:
    """Return a world without its own failover, in which an `up` moves the traffic."""
    monkeypatch.setattr(drilled_lab.HeldLab, "updates", lambda *_: world)
    world.detection_seconds = 10_000
    return world


@pytest.mark.usefixtures("apis")
def test_scenario_away_ends_with_zero_if_the_up_ends_the_failures(updated: World) -> None:
    """The report contains the lost requests of each phase, and what is judged."""
    code, out, err = run("--scenario", "away", "--failure-mode", "blackhole")
    assert code == 0, out
    assert "node blackhole for 64 s, `up` after 34 s; no request may fail later than 10 s after it" in out
    assert re.search(r"^lost: healthy 0, dead 34\d, away \d+, back 0, restored 0$", out, re.MULTILINE)
    assert "note: east is away: nothing in it is read, changed or deleted" in out
    assert "passed: 1 of 1 scenarios" in out
    order = ("blackhole: dead", "up, with away: true for east", "blackhole: away", "blackhole: back", "file says")
    assert [err.index(text) for text in order] == sorted(err.index(text) for text in order)
    assert err.index("file says") < err.index("blackhole: restored")
    assert [list(config) for config in updated.ups] == [["clusters"], []]


@pytest.mark.usefixtures("apis")
def test_scenario_away_ends_with_one_if_a_request_is_lost_after_the_up(updated: World, tmp_path: Path) -> None:
    """The drill draws the picture as well."""
    updated.push_seconds = 20
    picture = tmp_path / "drill.svg"
    code, out, _ = run("--scenario", "away", "--failure-mode", "blackhole", "--picture", str(picture))
    assert code == 1
    assert re.search(r"^west client: \d+ failed beyond the `up` and its grace: \d+ x no answer$", out, re.MULTILINE)
    assert "FAILED: 0 of 1 scenarios" in out
    assert picture.read_bytes().startswith(b"<?xml")


@pytest.mark.usefixtures("apis")
def test_scenario_away_is_refused_where_it_proves_nothing(updated: World, tmp_path: Path) -> None:
    """It is refused for a part of a cluster, for a cluster that is away, and for one that the stack needs."""
    code, _, err = run("--scenario", "away", "--target", "gateways")
    assert (code, "--target gateways is a part of a cluster" in err) == (2, True)
    file = tmp_path / "Pulumi.lab.yaml"
    text = file.read_text()
    file.write_text(text.replace("{name: west,", "{name: west, away: true,"))
    code, _, err = run("--scenario", "away")
    assert (code, "west is away by the stack's config, and a drill needs every cluster" in err) == (2, True)
    file.write_text(text.replace("west, versions: [v1, v2]", "west, versions: []"))
    code, _, err = run("--scenario", "away")
    assert (code, "no `up` can move the traffic off east" in err) == (2, True)
    assert updated.scenarios == []


@pytest.mark.usefixtures("apis")
def test_scenario_away_is_refused_where_the_lab_holds_no_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, world: World
) -> None:
    """Its `up` would create a stack."""
    monkeypatch.setattr(engines, "MARK", tmp_path / "mark")
    code, _, err = run("--scenario", "away")
    assert (code, "error: the lab does not hold stack lab\nRun: make up STACK=lab\n" in err) == (2, True)
    assert world.scenarios == []


@pytest.mark.usefixtures("apis")
def test_an_interrupt_after_the_up_says_what_remains(updated: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drill has already restored the cluster."""

    def wait(seconds: float) -> None:
        updated.wait(seconds)
        if updated.ups:
            raise KeyboardInterrupt

    monkeypatch.setattr(ops.drill.run, "Conductor", partial(Conductor, now=updated.now, wait=wait))
    code, out, err = run("--scenario", "away")
    assert (code, out) == (130, "")
    assert "east may still be away; run: deploy --stack lab\n" in err
    (cut,) = updated.cuts
    assert cut.restored == updated.at


@pytest.mark.usefixtures("apis")
def test_another_cluster_is_taken_away_by_its_name(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """The stack must contain the cluster."""
    taken: list[str] = []

    def drilled(*, cluster: object, **_: object) -> World:
        taken.append(str(getattr(cluster, "name", "")))
        return world

    monkeypatch.setattr(ops.drill.run, "ClusterTarget", drilled)
    run("--target", "node", "--cluster", "west")
    assert taken == ["west"]
    code, _, err = run("--cluster", "north")
    assert code == 2
    assert "the stack has no cluster 'north'\n--cluster is one of: east, west" in err


@pytest.mark.usefixtures("apis")
def test_a_stack_that_is_not_the_labs_is_refused(tmp_path: Path, world: World) -> None:
    """The stack's name does not matter, and nothing changes in any of its clusters."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK.format(east=EAST.kubeconfig, west="/root/.kube/config"))
    code, _, err = run(stack="prod")
    assert code == 2
    assert "error: These clusters have no kubeconfig of the lab: west\n" in err
    assert world.scenarios == []


@pytest.mark.usefixtures("apis")
def test_a_lab_that_is_down_or_in_use_is_not_drilled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other command changes the lab during a drill."""
    with lock.held():
        code, _, err = run()
    assert (code, "Another command uses the lab" in err) == (2, True)

    def used(*_: object) -> None:
        with pytest.raises(UserError, match="Another command"), lock.held():
            pytest.fail("two hold the lab")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ops.drill.run, "drill", used)
        code, _, err = run()
        assert (code, "interrupted" in err) == (130, True)
    monkeypatch.setattr(lab_faults, "existing", tuple)
    code, _, err = run()
    assert (code, "the lab is down" in err) == (2, True)


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM], ids=lambda it: it.name)
def test_a_signal_in_the_middle_gives_back_what_was_taken_away(
    monkeypatch: pytest.MonkeyPatch, world: World, number: signal.Signals
) -> None:
    """The drill also deletes its client pods; the fixture checks this."""
    signal.signal(number, signal.SIG_DFL)

    def wait(seconds: float) -> None:
        world.wait(seconds)
        if world.cuts:
            signal.raise_signal(number)

    monkeypatch.setattr(ops.drill.run, "Conductor", partial(Conductor, now=world.now, wait=wait))
    code, out, err = run()
    assert (code, out) == (130, "")
    assert "interrupted" in err
    (cut,) = world.cuts
    assert cut.restored == world.at


@pytest.mark.usefixtures("apis")
@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("versions: [v1, v2], access: {kind: kubeconfig, path: /var/lib/mcsps-lab/east", "access: {kind: kubeconfig, path: /var/lib/mcsps-lab/east", "east runs no version of helloworld"),  # noqa: E501 - lines of a stack file
        ("    - {name: west", "    # {name: west", "east is the stack's only cluster"),
        ("v2Weight: 10", "v2Weight: 1000", "mcsps:v2Weight"),
    ],
    ids=["runs nothing", "alone", "bad config"],
)  # fmt: skip
def test_a_stack_in_which_a_drill_proves_nothing_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    """The error contains the reason."""
    file = tmp_path / "Pulumi.lab.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    code, _, err = run()
    assert code == 2
    assert named in err


def test_versions_that_nobody_else_runs_are_told_before_anything_is_taken_away(
    apis: dict[str, ApiDouble], tmp_path: Path
) -> None:
    """The requests for these versions must fail."""
    file = tmp_path / "Pulumi.lab.yaml"
    file.write_text(file.read_text().replace("west, versions: [v1, v2]", "west, versions: [v1]"))
    del apis
    code, out, err = run("--target", "node", "--failure-mode", "blackhole")
    assert code == 0
    note = "v2 runs in east alone: up to 10 % of the requests from a cluster fail while its pods cannot be reached"
    assert f"note: {note}" in out
    assert err.index(note) < err.index("away")


@pytest.mark.parametrize("method", ["create_pod", "service", "istio_spec"])
def test_an_api_that_refuses_ends_with_two_and_leaves_nothing(
    apis: dict[str, ApiDouble], world: World, method: str
) -> None:
    """There is no traceback, no pod is left, and nothing is taken down."""
    apis[STAYING].refuses[method] = "the API answered 403 Forbidden"
    code, _, err = run()
    assert code == 2
    assert "the API answered 403 Forbidden" in err
    assert world.scenarios == []


def test_a_client_pod_that_does_not_get_ready_ends_with_two(
    apis: dict[str, ApiDouble], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error contains the kubelet's reason."""
    monkeypatch.setattr(ops.drill.run, "POD_READY_SECONDS", 0.0)
    monkeypatch.setattr(apis[DRILLED], "pod", lambda _, name: pod(name, {}, not_ready_reason="client: ErrImagePull"))
    code, _, err = run()
    assert code == 2
    assert "error: the client pod of east: not ready after 0 s: client: ErrImagePull" in err


def test_an_ingress_without_an_address_ends_with_two(
    apis: dict[str, ApiDouble], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill cannot send requests to it."""
    monkeypatch.setattr(apis[STAYING], "service", lambda *_: None)
    code, _, err = run()
    assert code == 2
    assert "error: the ingress of west has no address" in err


def test_a_drill_that_its_client_pods_would_not_outlive_is_refused(apis: dict[str, ApiDouble], world: World) -> None:
    """A slow detection and long timeouts add up."""
    outliers = {"consecutive5xxErrors": 20, "interval": "5m"}
    apis[STAYING].istio_specs = {"destinationrules": {"trafficPolicy": {"outlierDetection": outliers}}}
    code, _, err = run("--return-within", "300", "--seconds", "60")
    assert code == 2
    assert f"its client pods live for {LIFETIME.total_seconds() / 60:.0f}\nChoose fewer --target" in err
    assert world.scenarios == []


@pytest.mark.usefixtures("apis")
def test_a_picture_that_cannot_be_drawn_is_refused_before_the_drill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, world: World
) -> None:
    """The reasons are a missing folder, and a missing library."""
    code, _, err = run("--picture", str(tmp_path / "gone" / "drill.svg"))
    assert (code, "does not exist" in err) == (2, True)
    monkeypatch.delitem(sys.modules, "ops.drill.picture", raising=False)
    monkeypatch.delattr(ops.drill, "picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    code, _, err = run("--picture", str(tmp_path / "drill.svg"))
    assert (code, "error: --picture needs matplotlib" in err) == (2, True)
    assert world.scenarios == []


def test_the_rest_of_ops_knows_nothing_of_the_lab_and_draws_nothing() -> None:
    """Only the drill loads the lab and matplotlib, so `verify` runs where they are not installed."""
    loaded = {"ops/drill/lab_faults.py": {"lab"}, "ops/drill/picture.py": {"matplotlib"}}
    found = {}
    for path in (ROOT / "ops").rglob("*.py"):
        imports = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        modules = {
            name.partition(".")[0]
            for node in imports
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [it.name for it in node.names])
        }
        if special := modules & {"lab", "matplotlib"}:
            found[str(path.relative_to(ROOT))] = special
    assert found == loaded
    (top,) = (ast.parse((ROOT / "ops" / "cli.py").read_text()),)
    named = {f"{node.module}.{it.name}" for node in top.body if isinstance(node, ast.ImportFrom) for it in node.names}
    assert not {"ops.drill.lab_faults", "ops.drill.picture"} & named
