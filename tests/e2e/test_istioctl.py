"""istioctl works against the mesh, as its users have it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.progress import Progress

from lab.build import toolchain
from lab.engines import Engine
from lab.spec import ClusterSpec
from mesh import names
from tests.e2e.checkout import Checkout
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e

SECONDS = 90
"""`analyze` of a reader without rights never ends."""
KNOWN_FINDINGS = ("IST0170", "IST0102")
"""Every cluster chooses node ports of its own, and not every namespace has sidecars."""


@pytest.fixture(scope="module")
def istioctl(engine: Engine, checkout: Checkout) -> Path:
    """The lab's own istioctl, for a mesh that is deployed."""
    checkout.deploy("up", engine).must_succeed()
    return toolchain.ensure(Progress(disable=True), "istioctl").binary("istioctl")


@pytest.fixture(params=[0, 1], ids=["east", "west"])
def cluster(request: pytest.FixtureRequest, lab: Lab) -> ClusterSpec:
    """Each cluster."""
    return lab.clusters[int(request.param)]


def run(istioctl: Path, cluster: ClusterSpec, *arguments: str, folder: Path | None = None) -> str:
    """Run istioctl on a cluster to its end, which must be a good one; return what it printed."""
    command: Sequence[str] = (str(istioctl), "--kubeconfig", str(cluster.kubeconfig), *arguments)
    done = subprocess.run(  # noqa: S603 - the lab's own program
        command, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=folder
    )
    text = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, text
    assert "forbidden" not in text
    return text


def test_analyze_ends_and_finds_nothing_new(istioctl: Path, cluster: ClusterSpec) -> None:
    """It reads Istio's own kinds in the peers as well."""
    text = run(istioctl, cluster, "analyze", "--all-namespaces")
    findings = [line for line in text.splitlines() if line.startswith(("Error", "Warning", "Info"))]
    assert [line for line in findings if not any(code in line for code in KNOWN_FINDINGS)] == []


def test_remote_clusters_are_synced(istioctl: Path, cluster: ClusterSpec, lab: Lab) -> None:
    """Each peer, in its own line."""
    text = run(istioctl, cluster, "remote-clusters")
    for peer in lab.clusters:
        if peer is not cluster:
            assert any(peer.name in line and "synced" in line for line in text.splitlines()), text


def test_proxies_are_listed_with_their_version(istioctl: Path, cluster: ClusterSpec) -> None:
    """The gateways and the pods of helloworld."""
    text = run(istioctl, cluster, "proxy-status")
    for name in (names.INGRESS_GATEWAY, names.EGRESS_GATEWAY, names.EASTWEST_GATEWAY, names.HELLOWORLD):
        assert name in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("version",), "control plane version"),
        (("x", "precheck"), "No issues found"),
        (("x", "describe", "service", f"{names.HELLOWORLD}.{names.APP_NAMESPACE}"), names.HELLOWORLD),
    ],
    ids=["version", "precheck", "describe"],
)
def test_other_commands_answer(istioctl: Path, cluster: ClusterSpec, arguments: Sequence[str], expected: str) -> None:
    """Each ends well and says what it is for."""
    assert expected in run(istioctl, cluster, *arguments)
