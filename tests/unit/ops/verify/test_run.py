"""The command `verify` on doubles of clusters, from client pods to exit codes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops import cli
from ops.cluster.calls import ApiError
from ops.cluster.client_pod import LIFETIME, MANAGED_BY, client_pod, manifest, remove_leftovers, wait_ready
from ops.cluster.execution import ExecResult
from ops.cluster.polling import Poller
from ops.traffic import loops
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally
from ops.verify import options
from ops.verify import run as verify_run
from ops.verify.facts import TrafficFacts
from tests.support.api_double import ANSWER, ApiDouble, pod, printed
from tests.support.stacks import ROOT

STACK = """
config:
  mcsps:mesh: {id: mesh1}
  mcsps:v2Weight: 0
  mcsps:clusters:
    - {name: east, network: network-east, versions: [v1], access: {kind: kubeconfig, path: /nowhere/east}}
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiDouble]:
    """Yield the only cluster of a stack `prod`, which is healthy; it must be empty after the test."""
    double = ApiDouble()
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)

    def through_ingress(
        name: str, address: str, requests: int, _interrupted: threading.Event, *, headers: Mapping[str, str]
    ) -> TrafficFacts:
        tally = Tally(requests)
        tally.versions["v2" if headers.get("x-team") == "test" else "v1"] = requests
        return TrafficFacts(cluster=name, source=TrafficSource.INGRESS, url=f"http://{address}/hello", tally=tally)

    monkeypatch.setattr(cli, "_ROOT", tmp_path)
    monkeypatch.setattr("ops.cluster.connect.connect", lambda *_: {"east": double})
    monkeypatch.setattr(verify_run, "through_ingress", through_ingress)
    yield double
    assert double.pods_there == {}, "a client pod was left behind"


def run(*arguments: str, wait: str = "0") -> tuple[int, str, str]:
    """Return the exit code, standard output and standard error of `python -m ops verify`."""
    done = CliRunner().invoke(cli.app, ["verify", "--requests", "100", "--wait", wait, *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), "a traceback reached the person"
    return done.exit_code, done.stdout, done.stderr


def test_a_healthy_mesh_of_one_ends_with_zero_and_a_table(cluster: ApiDouble) -> None:
    """Progress goes to standard error, and the table to standard output."""
    code, out, err = run("--stack", "prod")
    assert code == 0, out
    assert "all holds" in out
    assert "reading east" in err
    assert len(cluster.ever_created) == 1


def test_a_cluster_that_is_away_is_named_and_not_verified(cluster: ApiDouble, tmp_path: Path) -> None:
    """The other clusters are verified with the remaining weights, and all checks can pass."""
    west = "- {name: west, network: network-west, versions: [v2], away: true, access: {kind: kubeconfig, path: /no}}"
    text = STACK.replace("mcsps:v2Weight: 0", "mcsps:v2Weight: 10")
    (tmp_path / "Pulumi.prod.yaml").write_text(f"{text}    {west}\n")
    code, out, err = run("--stack", "prod")
    assert code == 0, out
    assert "not verified: west, away by the config" in out
    assert "v1 gets 100 % of the requests instead of 90 %" in err
    assert len(cluster.ever_created) == 1
    _, out, _ = run("--stack", "prod", "--json")
    report = json.loads(out)
    assert (report["away"], report["v2Weight"]) == (["west"], 0)
    assert {check["cluster"] for check in report["checks"]} == {"east"}


def test_a_cluster_without_answer_is_named_with_the_key_that_moves_the_traffic(
    cluster: ApiDouble, tmp_path: Path
) -> None:
    """The key contains the cluster's index in the whole config, including clusters that are away."""
    west = "- {name: west, network: network-west, versions: [v2], away: true, access: {kind: kubeconfig, path: /no}}"
    first, last = STACK.rstrip().rsplit("\n", 1)
    (tmp_path / "Pulumi.prod.yaml").write_text(f"{first}\n    {west}\n{last}\n")
    cluster.refuses["version"] = "no connection: timed out"
    code, out, _ = run("--stack", "prod", "--json")
    (cause,) = json.loads(out)["causes"]
    assert code == 1
    assert (cause["cause"], cause["cluster"]) == ("API server not reachable", "east")
    assert cause["seen"] == "no connection: timed out"
    assert "set mcsps:clusters[1].away to true and run `pulumi up`" in cause["remedy"]


@pytest.mark.usefixtures("cluster")
def test_json_is_all_that_standard_output_gets() -> None:
    """A machine can parse standard output unchanged."""
    code, out, _ = run("--stack", "prod", "--json")
    assert code == 0
    assert json.loads(out)["ok"] is True


def test_a_failed_request_ends_with_one(cluster: ApiDouble) -> None:
    """The client pods are deleted as well."""
    cluster.says["--fail"] = lambda: printed("no healthy upstream#503\n" * 100, code=22)
    code, out, _ = run("--stack", "prod")
    assert code == 1
    assert "100 x HTTP 503" in out


def test_a_curl_that_cannot_work_ends_with_its_own_words(cluster: ApiDouble) -> None:
    """The result does not report it as too slow."""
    missing = ExecResult(stdout="", stderr="", finished=True, code=None, status='exec: "curl": not found')
    cluster.says["--fail"] = lambda: missing
    code, out, _ = run("--stack", "prod", "--json")
    (check,) = (check for check in json.loads(out)["checks"] if not check["ok"])
    assert code == 1
    assert (check["id"], check["seen"]) == ("traffic-client", 'exec: "curl": not found')


def test_a_sidecar_that_gives_no_answer_once_is_asked_again(cluster: ApiDouble) -> None:
    """One refused connection does not mean that the mesh is broken."""
    answers = iter([printed("", code=1), cluster.says["clusters?format=json"]()])
    good = cluster.says["clusters?format=json"]
    cluster.says["clusters?format=json"] = lambda: next(answers, good())
    code, out, _ = run("--stack", "prod", wait="3")
    assert code == 0, out


def test_more_requests_are_made_where_a_weight_needs_them(cluster: ApiDouble, tmp_path: Path) -> None:
    """A message reports this, because it takes longer."""
    stack = STACK.replace("Weight: 0", "Weight: 1").replace("[v1]", "[v1, v2]")
    (tmp_path / "Pulumi.prod.yaml").write_text(stack)
    cluster.says["--fail"] = lambda: printed(ANSWER * 1072)
    code, out, err = run("--stack", "prod", "--json")
    assert code == 1
    assert "sending 1072 requests in each loop, because fewer do not show 1 % of v2" in err
    assert json.loads(out)["requests"] == 1072
    assert {row["requests"] for row in json.loads(out)["traffic"]} == {1072}


def test_an_audience_is_asked_for_from_both_sides(
    cluster: ApiDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each loop sends a hundred requests with the header. Here the sidecar ignores the header."""
    audience = "  mcsps:audiences: [{name: team, version: v2, header: {name: x-team, exact: test}}]\n"
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK.replace("[v1]", "[v1, v2]") + audience)
    commands: list[list[str]] = []
    execute = cluster.execute

    def watched(namespace: str, pod: str, container: str, command: list[str], seconds: float) -> ExecResult:
        commands.append(command)
        return execute(namespace, pod, container, command, seconds)

    monkeypatch.setattr(cluster, "execute", watched)
    code, out, _ = run("--stack", "prod", "--json")
    rows = {(row["way"], row["audience"]): row for row in json.loads(out)["traffic"]}
    assert code == 1
    assert {where: row["ok"] for where, row in rows.items()} == {
        ("ingress", ""): True, ("client", ""): True, ("ingress", "team"): True, ("client", "team"): False,
    }  # fmt: skip
    assert rows["client", "team"]["requests"] == 100
    asked = [command for command in commands if "--fail" in command]
    assert ["x-team: test" in command for command in asked].count(True) == 1
    assert all("user-agent: mcsps-verify" in command for command in asked)


def test_a_client_pod_that_is_refused_ends_with_one(cluster: ApiDouble) -> None:
    """A quota or a policy may refuse it. The report contains this, and the ingress is still tried."""
    cluster.refuses["create_pod"] = "the API answered 403 Forbidden"
    code, out, _ = run("--stack", "prod", "--json")
    said = json.loads(out)
    assert code == 1
    assert {check["id"] for check in said["checks"] if not check["ok"]} == {"client-pod", "traffic-client"}


def test_an_interrupt_deletes_the_client_pods(cluster: ApiDouble) -> None:
    """This holds even during a curl loop; the fixture checks for remaining pods."""

    def interrupted() -> ExecResult:
        raise KeyboardInterrupt

    cluster.says["--fail"] = interrupted
    code, _, err = run("--stack", "prod")
    assert code == 130
    assert "interrupted" in err


@pytest.mark.parametrize(
    "arguments", [("--stack", "prd"), (), ("--stack", "prod", "--requests", "1"), ("--stack", "prod", "--no-such")]
)
@pytest.mark.usefixtures("cluster")
def test_bad_usage_ends_with_two(arguments: tuple[str, ...]) -> None:
    """The error comes before any action, and without a traceback."""
    code, _, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.usefixtures("cluster")
def test_bad_config_ends_with_two_and_names_the_key(tmp_path: Path) -> None:
    """The error is the settings' own."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK.replace("Weight: 0", "Weight: 101"))
    code, _, err = run("--stack", "prod")
    assert code == 2
    assert "mcsps:v2Weight" in err


def test_a_kubeconfig_that_is_not_there_ends_with_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error contains the cluster and the path."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)
    monkeypatch.setattr(cli, "_ROOT", tmp_path)
    code, _, err = run("--stack", "prod")
    assert code == 2
    assert "the kubeconfig of cluster east /nowhere/east cannot be read" in err


def test_the_client_pod_is_deleted_even_when_the_api_failed_after_taking_it(
    cluster: ApiDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API may have processed a request although its answer was lost."""

    def lost(namespace: str, description: Mapping[str, Any]) -> None:
        ApiDouble.create_pod(cluster, namespace, description)
        raise ApiError("no connection: timed out")

    monkeypatch.setattr(cluster, "create_pod", lost)
    with suppress(ApiError), client_pod(cluster, "client:1", print):  # type: ignore[arg-type]
        pass
    assert len(cluster.ever_created) == 1


def test_a_client_pod_that_could_not_be_deleted_is_named(cluster: ApiDouble) -> None:
    """The user can then delete it. Otherwise it ends after its lifetime."""
    cluster.refuses["delete_pod"] = "no connection: timed out"
    code, _, err = run("--stack", "prod")
    (left,) = cluster.ever_created
    assert f"pod sample/{left} could not be deleted: no connection: timed out" in err
    assert code == 0
    cluster.pods_there.clear()


def test_leftovers_of_killed_runs_are_removed_and_running_ones_kept(cluster: ApiDouble) -> None:
    """A recent pod may belong to another run."""
    labels = {"app.kubernetes.io/managed-by": MANAGED_BY}
    cluster.pods_there = {
        "old": pod("old", labels, age=LIFETIME + timedelta(seconds=1)),
        "new": pod("new", labels, age=timedelta(minutes=1)),
    }
    remove_leftovers(cluster)  # type: ignore[arg-type]
    assert list(cluster.pods_there) == ["new"]
    cluster.pods_there.clear()


def test_a_pod_that_does_not_get_ready_is_told_with_its_trouble(cluster: ApiDouble) -> None:
    """The error contains the kubelet's reason."""
    cluster.pods_there["stuck"] = pod("stuck", {}, not_ready_reason="client: ErrImagePull")
    assert wait_ready(cluster, "stuck", Poller(seconds=0)) == "not ready after 0 s: client: ErrImagePull"  # type: ignore[arg-type]
    cluster.pods_there.clear()


def test_a_pod_that_is_gone_is_not_waited_for(cluster: ApiDouble) -> None:
    """An interrupt may have deleted it."""
    assert wait_ready(cluster, "gone", Poller(seconds=60)) == "it is gone"  # type: ignore[arg-type]


def test_patience_ends_with_what_was_seen_last_when_interrupted() -> None:
    """The poller returns at once, and not at its next poll."""
    poller = Poller(seconds=60)
    threading.Timer(0.2, poller.interrupted.set).start()
    started = time.monotonic()
    assert poller.until(lambda seen: seen == "good", lambda: "bad") == "bad"
    assert time.monotonic() - started < 5


def test_the_client_pod_fits_a_namespace_that_enforces_restricted() -> None:
    """It meets Pod Security Standards, level restricted, and a quota that requires requests and limits."""
    spec = manifest("mcsps-verify-0", "client:1")["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert set(container["resources"]) == {"requests", "limits"}
    assert spec["activeDeadlineSeconds"] == LIFETIME.total_seconds()


def test_no_run_outlives_its_client_pods() -> None:
    """The lifetime exceeds the longest possible run, plus a minute for all other steps."""
    longest = verify_run.POD_READY_SECONDS + 2 * options.MAX_WAIT_SECONDS
    assert longest + loops.loop_seconds(options.MAX_REQUESTS) + 60 < LIFETIME.total_seconds()


def test_an_interrupt_ends_the_whole_process_at_once(tmp_path: Path) -> None:
    """This holds although an ingress is slow and a command in the client pod still runs."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED.format(root=str(tmp_path)))
    process = subprocess.Popen(  # noqa: S603 - this interpreter and the script above
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("sending"):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted\n")
    # This is far less than the loops take, and enough for a busy machine.
    assert time.monotonic() - started < 30


INTERRUPTED = """
import socket, sys, threading, time
from pathlib import Path
from kubernetes import client
from ops import cli
from ops.cluster import api, connect as opening, execution
from ops.traffic import loops
from tests.support.api_double import ApiDouble

class Endless:
    def is_open(self): return True
    def run_forever(self, timeout): time.sleep(timeout)
    def read_stdout(self, timeout): return ""
    def read_stderr(self, timeout): return ""
    def close(self): pass

slow = socket.create_server(("127.0.0.1", 0))
loops._REQUEST_SECONDS = 1.0
loops.ingress_url = lambda _: f"http://127.0.0.1:{{slow.getsockname()[1]}}"
execution.stream = lambda *_, **__: Endless()

class Slow(ApiDouble):
    def execute(self, namespace, pod, container, command, timeout):
        if "--fail" not in command:
            return super().execute(namespace, pod, container, command, timeout)
        real = api.ClusterApi(client.Configuration(host="http://127.0.0.1:1"), self.interrupted)
        return real.execute(namespace, pod, container, command, timeout)

def connect(chosen, stack, root, interrupted, token_file):
    double = Slow()
    double.interrupted = interrupted
    return {{"east": double}}

opening.connect = connect
cli._ROOT = Path("{root}")
cli.app(["verify", "--stack", "prod"])
"""
"""A run with loops of more than a minute; the ingress accepts each connection and never answers."""
