"""The whole run against clusters that are doubles, from client pods to exit codes."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ops.__main__ as cli
import ops.traffic
import ops.verify
from ops.api import ApiError, ExecResult, PodView, SecretView, ServiceView, Workload
from ops.client_pod import LIFETIME, MANAGED_BY, client_pod, manifest, remove_leftovers, wait_ready
from ops.facts import TrafficFacts, Way
from ops.patience import Patience
from ops.split import Tally

STACK = """
config:
  mcsps:mesh: {id: mesh1}
  mcsps:v2Weight: 0
  mcsps:clusters:
    - {name: east, network: network-east, versions: [v1], access: {kind: kubeconfig, path: /nowhere/east}}
"""
SERVER_POD_IP = "10.42.0.9"


class Cluster:
    """A double of one cluster's API: a mesh of one, with all in order."""

    def __init__(self, root_pem: str) -> None:
        self.root_pem = root_pem
        self.pods_there: dict[str, PodView] = {}
        self.ever_created: list[str] = []
        self.curl: Callable[[], ExecResult] = lambda: printed(
            "Hello version: v1, instance: helloworld-v1-5f\n#200\n" * 100
        )

    def version(self) -> str:
        """A Kubernetes version."""
        return "v1.35.4"

    def namespace_labels(self, _name: str) -> Mapping[str, str]:
        """Labelled as it should be."""
        return {"topology.istio.io/network": "network-east"}

    def config_map(self, _namespace: str, _name: str) -> Mapping[str, str]:
        """The mesh root."""
        return {"root-cert.pem": self.root_pem}

    def deployment(self, _namespace: str, _name: str) -> Workload:
        """All ready."""
        return Workload(wanted=1, ready=1)

    def service(self, _namespace: str, _name: str) -> ServiceView:
        """Any Service."""
        return ServiceView(ports=(5000,), addresses=("127.0.0.1",))

    def secrets(self, _namespace: str, _selector: str) -> tuple[SecretView, ...]:
        """No peers."""
        return ()

    def pods(self, _namespace: str, selector: str) -> tuple[PodView, ...]:
        """The helloworld pod, and the client pods."""
        if selector == "app=helloworld":
            return (pod("helloworld-v1-5f", {"version": "v1"}),)
        return tuple(self.pods_there.values())

    def pod(self, _namespace: str, name: str) -> PodView | None:
        """A client pod."""
        return self.pods_there.get(name)

    def create_pod(self, _namespace: str, description: Mapping[str, Any]) -> None:
        """Take a pod; it is ready at once."""
        name = description["metadata"]["name"]
        self.ever_created.append(name)
        self.pods_there[name] = pod(name, description["metadata"]["labels"])

    def delete_pod(self, _namespace: str, name: str) -> None:
        """Remove a pod."""
        self.pods_there.pop(name, None)

    def execute(self, _namespace: str, _pod: str, _container: str, command: list[str], _timeout: float) -> ExecResult:
        """Answer as curl or as the sidecar."""
        if command[0] == "curl":
            return self.curl()
        name = "outbound|5000|v1|helloworld.sample.svc.cluster.local"
        address = {"socket_address": {"address": SERVER_POD_IP, "port_value": 5000}}
        return printed(json.dumps({"cluster_statuses": [{"name": name, "host_statuses": [{"address": address}]}]}))


def printed(stdout: str) -> ExecResult:
    """A command that ended well."""
    return ExecResult(stdout=stdout, stderr="", finished=True, code=0)


def pod(name: str, labels: Mapping[str, str], age: timedelta = timedelta(), trouble: str = "") -> PodView:
    """A pod that is ready unless in trouble."""
    created = datetime.now(UTC) - age
    return PodView(name=name, labels=labels, ip=SERVER_POD_IP, ready=not trouble, created=created, trouble=trouble)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_pem: str) -> Iterator[Cluster]:
    """A stack `prod` with one healthy cluster, and nothing left in it afterwards."""
    double = Cluster(root_pem)
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)

    def through_ingress(name: str, address: str, requests: int) -> TrafficFacts:
        tally = Tally(requests)
        tally.versions["v1"] = requests
        return TrafficFacts(cluster=name, way=Way.INGRESS, url=f"http://{address}/hello", tally=tally)

    monkeypatch.setattr(cli, "_ROOT", tmp_path)
    monkeypatch.setattr("ops.access.connect", lambda *_: {"east": double})
    monkeypatch.setattr(ops.verify, "through_ingress", through_ingress)
    monkeypatch.setattr("socket.create_connection", lambda *_: suppress_close())
    yield double
    assert double.pods_there == {}, "a client pod was left behind"


def suppress_close() -> Any:  # noqa: ANN401 - stands for a socket
    """A connection that came about."""

    class Connection:
        def close(self) -> None:
            """Close nothing."""

    return Connection()


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `python -m ops verify`."""
    done = CliRunner().invoke(cli.app, ["verify", "--requests", "100", "--wait", "0", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), "a traceback reached the person"
    return done.exit_code, done.stdout, done.stderr


def test_a_healthy_mesh_of_one_ends_with_zero_and_a_table(cluster: Cluster) -> None:
    """Progress goes to standard error, the table to standard output."""
    code, out, err = run("--stack", "prod")
    assert code == 0, out
    assert "all holds" in out
    assert "looking at east" in err
    assert len(cluster.ever_created) == 1


@pytest.mark.usefixtures("cluster")
def test_json_is_all_that_standard_output_gets() -> None:
    """A machine can parse it as it is."""
    code, out, _ = run("--stack", "prod", "--json")
    assert code == 0
    assert json.loads(out)["ok"] is True


def test_a_failed_request_ends_with_one(cluster: Cluster) -> None:
    """The pods are deleted all the same."""
    cluster.curl = lambda: printed("no healthy upstream#503\n" * 100)
    code, out, _ = run("--stack", "prod")
    assert code == 1
    assert "100 x HTTP 503" in out


def test_a_client_pod_that_is_refused_ends_with_one(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota or a policy may refuse it; that is told, and the ingress is still tried."""

    def refuse(*_: object) -> None:
        raise ApiError("the API answered 403 Forbidden")

    monkeypatch.setattr(cluster, "create_pod", refuse)
    code, out, _ = run("--stack", "prod", "--json")
    said = json.loads(out)
    assert code == 1
    assert {check["id"] for check in said["checks"] if not check["ok"]} == {"client-pod", "traffic-client"}


def test_an_interrupt_deletes_the_client_pods(cluster: Cluster) -> None:
    """Also in the middle of a curl loop; the fixture looks for leftovers."""

    def interrupted() -> ExecResult:
        raise KeyboardInterrupt

    cluster.curl = interrupted
    code, _, err = run("--stack", "prod")
    assert code == 130
    assert "interrupted" in err


@pytest.mark.parametrize(
    "arguments", [("--stack", "prd"), (), ("--stack", "prod", "--requests", "1"), ("--stack", "prod", "--no-such")]
)
@pytest.mark.usefixtures("cluster")
def test_bad_usage_ends_with_two(arguments: tuple[str, ...]) -> None:
    """Without a traceback, before anything is done."""
    code, _, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.usefixtures("cluster")
def test_bad_config_ends_with_two_and_names_the_key(tmp_path: Path) -> None:
    """In the settings' own words."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK.replace("Weight: 0", "Weight: 101"))
    code, _, err = run("--stack", "prod")
    assert code == 2
    assert "mcsps:v2Weight" in err


def test_a_kubeconfig_that_is_not_there_ends_with_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cluster and the path."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)
    monkeypatch.setattr(cli, "_ROOT", tmp_path)
    code, _, err = run("--stack", "prod")
    assert code == 2
    assert "the kubeconfig of cluster east /nowhere/east cannot be read" in err


def test_the_client_pod_is_deleted_even_when_the_api_failed_after_taking_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost answer does not mean a lost request."""

    def lost(namespace: str, description: Mapping[str, Any]) -> None:
        Cluster.create_pod(cluster, namespace, description)
        raise ApiError("no connection: timed out")

    monkeypatch.setattr(cluster, "create_pod", lost)
    with suppress(ApiError), client_pod(cluster, "client:1"):  # type: ignore[arg-type]
        pass
    assert len(cluster.ever_created) == 1


def test_leftovers_of_killed_runs_are_removed_and_running_ones_kept(cluster: Cluster) -> None:
    """Another run may be under way."""
    labels = {"app.kubernetes.io/managed-by": MANAGED_BY}
    cluster.pods_there = {
        "old": pod("old", labels, age=LIFETIME + timedelta(seconds=1)),
        "new": pod("new", labels, age=timedelta(minutes=1)),
    }
    remove_leftovers(cluster)  # type: ignore[arg-type]
    assert list(cluster.pods_there) == ["new"]
    cluster.pods_there.clear()


def test_a_pod_that_does_not_get_ready_is_told_with_its_trouble(cluster: Cluster) -> None:
    """In the kubelet's words."""
    cluster.pods_there["stuck"] = pod("stuck", {}, trouble="client: ErrImagePull")
    assert wait_ready(cluster, "stuck", Patience(seconds=0)) == "not ready after 0 s: client: ErrImagePull"  # type: ignore[arg-type]
    cluster.pods_there.clear()


def test_a_pod_that_is_gone_is_not_waited_for(cluster: Cluster) -> None:
    """An interrupt has deleted it."""
    assert wait_ready(cluster, "gone", Patience(seconds=60)) == "it is gone"  # type: ignore[arg-type]


def test_patience_ends_with_what_was_seen_last_when_interrupted() -> None:
    """At once, and not at the next look."""
    patience = Patience(seconds=60)
    threading.Timer(0.2, patience.interrupted.set).start()
    started = time.monotonic()
    assert patience.until(lambda seen: seen == "good", lambda: "bad") == "bad"
    assert time.monotonic() - started < 5


def test_the_client_pod_fits_a_namespace_that_enforces_restricted() -> None:
    """Pod Security Standards, level restricted, and a quota that asks for requests and limits."""
    spec = manifest("mcsps-verify-0", "client:1")["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert set(container["resources"]) == {"requests", "limits"}
    assert spec["activeDeadlineSeconds"] == LIFETIME.total_seconds()


def test_an_interrupt_does_not_wait_for_the_workers() -> None:
    """A curl loop may take a minute more; deleting its pod is what ends it."""
    release = threading.Event()
    with suppress(KeyboardInterrupt), ops.verify._workers(1, Patience(seconds=60)) as pool:  # noqa: SLF001 - what an interrupt goes through
        pool.submit(release.wait, 30)
        raise KeyboardInterrupt
    assert not release.is_set()
    release.set()
