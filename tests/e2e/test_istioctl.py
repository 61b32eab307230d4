"""istioctl on a deployed mesh: each command ends in time and finds the mesh's objects."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from rich.progress import Progress

from errors import UserError
from lab.build import toolchain
from lab.engines import Engine
from lab.spec import clusters, find
from mesh import names
from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.e2e

SECONDS = 60
REPORT_SECONDS = 240
PEERS = {"east": "west", "west": "east"}
NOT_INJECTED = "IST0102"
INCONSISTENT_SERVICE = "IST0170"
NODE_PORTS_DIFFER = "service ports are inconsistent"
"""A known message: each cluster chooses the node ports of its gateways' Services itself."""


@pytest.fixture(scope="module")
def tools() -> toolchain.Toolchain:
    """Return the lab's tools in their pinned versions."""
    try:
        return toolchain.ensure(Progress(disable=True), "istioctl", "kubectl")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def deployed(checkout: Checkout, engine: Engine) -> None:
    """Deploy the complete mesh in both clusters."""
    checkout.deploy("up", engine).must_succeed()


@pytest.fixture(params=PEERS)
def cluster(request: pytest.FixtureRequest, deployed: None) -> str:
    """Return each cluster of the mesh."""
    del deployed
    return str(request.param)


def test_analyze_reads_the_peer_and_finds_no_fault(tools: toolchain.Toolchain, cluster: str) -> None:
    """It reads Istio's kinds in the peer with the remote secret's token. If this is refused, the command never ends."""
    found = json.loads(istioctl(tools, cluster, "analyze", "--all-namespaces", "--output=json").stdout or "[]")
    about_services = [each for each in found if each["code"] == INCONSISTENT_SERVICE]
    others = [each for each in found if each not in about_services]
    assert about_services, "the peer's Services were not read"
    assert [each for each in about_services if NODE_PORTS_DIFFER not in each["message"]] == []
    assert [each for each in about_services if "gateway" not in each["origin"]] == []
    assert [each for each in others if (each["code"], each["level"]) != (NOT_INJECTED, "Info")] == []


def test_remote_clusters_lists_the_peer_as_synced(tools: toolchain.Toolchain, cluster: str) -> None:
    """The row names the peer's remote secret."""
    rows = [line.split() for line in istioctl(tools, cluster, "remote-clusters").stdout.splitlines()]
    (row,) = (row for row in rows if row and row[0] == PEERS[cluster])
    assert row[1:3] == [f"{names.ISTIO_NAMESPACE}/{names.remote_secret(PEERS[cluster])}", "synced"]


def test_proxy_status_lists_the_gateways_and_the_application(tools: toolchain.Toolchain, cluster: str) -> None:
    """Each Envoy of the cluster is connected to its istiod."""
    proxies = istioctl(tools, cluster, "proxy-status").stdout
    expected = (names.INGRESS_GATEWAY, names.EGRESS_GATEWAY, names.EASTWEST_GATEWAY, names.HELLOWORLD)
    assert [name for name in expected if name not in proxies] == []


def test_version_reads_the_control_plane(tools: toolchain.Toolchain, cluster: str) -> None:
    """It is the pinned version."""
    assert f"control plane version: {toolchain.ISTIO_VERSION}" in istioctl(tools, cluster, "version").stdout


def test_precheck_finds_nothing_against_an_upgrade(tools: toolchain.Toolchain, cluster: str) -> None:
    """It ends with an exit code other than 0 if it finds a warning."""
    done = istioctl(tools, cluster, "x", "precheck")
    assert "No issues found" in done.stdout + done.stderr


def test_describe_explains_the_applications_service(tools: toolchain.Toolchain, cluster: str) -> None:
    """The description includes the routes that apply to the Service."""
    name = f"{names.HELLOWORLD}.{names.APP_NAMESPACE}"
    text = istioctl(tools, cluster, "x", "describe", "svc", name).stdout
    assert f"Service: {name}" in text
    assert f"VirtualService: {names.HELLOWORLD}" in text


def test_bug_report_writes_an_archive(tools: toolchain.Toolchain, cluster: str, tmp_path: Path) -> None:
    """The report includes the analysis, which reads the peer."""
    archive = tmp_path / "bug-report.tar.gz"
    istioctl(
        tools,
        cluster,
        "bug-report",
        f"--dir={tmp_path / 'collected'}",
        f"--output-dir={tmp_path}",
        f"--include={names.APP_NAMESPACE}",
        "--tail=10",
        "--skip-cluster-dump",
        "--skip-coredumps",
        "--skip-netstat",
        "--skip-proxy-debug",
        seconds=REPORT_SECONDS,
    )
    assert archive.stat().st_size > 0


def istioctl(
    tools: toolchain.Toolchain, cluster: str, *arguments: str, seconds: float = SECONDS
) -> "subprocess.CompletedProcess[str]":
    """Run istioctl as a cluster's administrator. Fail unless it ends in time with exit code 0."""
    program = tools.binary("istioctl")
    kubeconfig = find(cluster, clusters(len(PEERS))).kubeconfig
    done = subprocess.run(  # noqa: S603 - the lab's own program
        (str(program), *arguments, f"--kubeconfig={kubeconfig}"),
        # `bug-report` runs kubectl.
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "forbidden" not in done.stdout + done.stderr
    return done
