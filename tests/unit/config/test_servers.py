"""The API servers that the config and its kubeconfigs contain."""

from pathlib import Path

import pulumi
import pytest

from config.loader import load
from errors import UserError
from tests.support.bad_config import put
from tests.support.recording import RecordingMonitor
from tests.support.stacks import LAB, RANCHER, Stack, kubeconfig, lab_stack, rancher_stack

REMEDY = "Set the https:// URL by which the other clusters reach the API server of this one"
LOCAL = "https://127.0.0.1:6443"


def refusal(stack: Stack, name: str = LAB) -> str:
    """Return why a stack is refused; empty if it is accepted."""
    try:
        stack.run_on(RecordingMonitor(preview=False, stack=name), lambda: load(pulumi.Config()) and None)
    except UserError as error:
        return str(error)
    return ""


def with_server(stack: Stack, index: int, server: str) -> Stack:
    """Give a cluster's kubeconfig another server."""
    Path(stack.values["clusters"][index]["access"]["path"]).write_text(kubeconfig("east", server=server))
    return stack


def with_peer_server(stack: Stack, index: int, server: str) -> Stack:
    """Give a cluster a server for its peers."""
    return Stack(
        name=stack.name, values=put(stack.values, ("clusters", index, "peerServer"), server), secrets=stack.secrets
    )


def test_two_kubeconfigs_of_one_server_are_refused(tmp_path: Path) -> None:
    """The program would create all objects twice in one cluster."""
    stack = with_server(lab_stack(tmp_path), 1, "https://198.18.0.10:6443/")
    assert refusal(stack) == (
        "mcsps:clusters[1].access.path: got 'https://198.18.0.10:6443/', to which mcsps:clusters[0].access.path leads "
        "too; allowed: a different API server for each cluster. Set the server of the right cluster"
    )


def test_two_clusters_of_one_peer_server_are_refused(tmp_path: Path) -> None:
    """The comparison ignores differences in spelling."""
    stack = with_peer_server(lab_stack(tmp_path), 0, "https://api.example")
    assert refusal(stack) == ""
    stack = with_peer_server(stack, 1, "https://API.example:443")
    assert refusal(stack).startswith(
        "mcsps:clusters[1].peerServer: got 'https://API.example:443', to which mcsps:clusters[0].peerServer leads too; "
    )


def test_a_peer_server_that_is_another_clusters_server_is_refused(tmp_path: Path) -> None:
    """A cluster may have its own server as its `peerServer`."""
    stack = lab_stack(tmp_path)
    assert refusal(with_peer_server(stack, 0, "https://198.18.0.10:6443")) == ""
    assert "to which mcsps:clusters[0].peerServer leads too" in refusal(
        with_peer_server(stack, 0, "https://198.18.0.11:6443")
    )


def test_a_server_of_this_machine_needs_another_one_for_peers(tmp_path: Path) -> None:
    """The program can use a tunnel, but in every other cluster the same address leads to that cluster itself."""
    stack = with_server(lab_stack(tmp_path), 0, LOCAL)
    assert refusal(stack) == (
        f"mcsps:clusters[0].peerServer: missing, and its kubeconfig has the server '{LOCAL}', which leads every other "
        f"cluster to itself. {REMEDY}"
    )
    assert refusal(with_peer_server(stack, 0, "https://east.example")) == ""


def test_a_mesh_of_one_cluster_has_no_peers(tmp_path: Path) -> None:
    """A cluster without peers can therefore have any server."""
    assert refusal(with_server(lab_stack(tmp_path, ["east"]), 0, LOCAL)) == ""
    assert refusal(with_server(lab_stack(tmp_path, ["east"]), 0, "https://r.example/k8s/clusters/c-1")) == ""


def test_a_peer_server_that_is_local_is_refused(tmp_path: Path) -> None:
    """The error names the key `peerServer`."""
    assert refusal(with_peer_server(lab_stack(tmp_path), 1, "https://kubernetes.default.svc")) == (
        "mcsps:clusters[1].peerServer: got 'https://kubernetes.default.svc', which leads every other cluster to "
        f"itself; allowed: an address that all clusters can reach. {REMEDY}"
    )


def test_a_rancher_of_this_machine_needs_another_server_for_peers() -> None:
    """The address of Rancher's proxy is then local as well."""
    stack = rancher_stack()
    local = Stack(
        name=RANCHER, values=put(stack.values, ("rancher", "url"), "https://localhost"), secrets=stack.secrets
    )
    assert refusal(stack, RANCHER) == ""
    assert refusal(local, RANCHER) == (
        "mcsps:clusters[0].peerServer: missing, and mcsps:rancher.url has the server 'https://localhost', which leads "
        f"every other cluster to itself. {REMEDY}"
    )


@pytest.mark.parametrize("path", ["/k8s/clusters/c-1", "/k8s/clusters/c-m-abcd1234/"])
def test_the_kubeconfig_of_ranchers_interface_needs_a_server_for_peers(tmp_path: Path, path: str) -> None:
    """Rancher's proxy does not accept the tokens of a cluster's service accounts."""
    stack = with_server(lab_stack(tmp_path), 0, f"https://r.example{path}")
    assert refusal(stack) == (
        f"mcsps:clusters[0].peerServer: missing, and its kubeconfig has the server 'https://r.example{path}': "
        f"Rancher's proxy refuses the service accounts of peers. {REMEDY} directly, or use access rancher"
    )
    assert refusal(with_peer_server(stack, 0, "https://east.example")) == ""


def test_a_peer_server_that_is_ranchers_proxy_is_refused(tmp_path: Path) -> None:
    """The program refuses this proxy in the kubeconfig as well, if the key is absent."""
    assert refusal(with_peer_server(lab_stack(tmp_path), 0, "https://r.example/k8s/clusters/c-1")) == (
        "mcsps:clusters[0].peerServer: got 'https://r.example/k8s/clusters/c-1', and Rancher's proxy refuses the "
        f"service accounts of peers; allowed: an address of the API server itself. {REMEDY} directly, or use "
        "access rancher"
    )


def test_a_server_with_a_certificate_of_another_name_needs_one_for_peers(tmp_path: Path) -> None:
    """Remote secrets do not contain the name of the certificate."""
    stack = lab_stack(tmp_path)
    path = Path(stack.values["clusters"][0]["access"]["path"])
    path.write_text(path.read_text().replace("server:", "tls-server-name: east\n    server:"))
    assert refusal(stack) == (
        "mcsps:clusters[0].peerServer: missing, and its kubeconfig has tls-server-name, without which peers refuse the "
        f"server's certificate. {REMEDY}, with a host that the certificate has"
    )
    assert refusal(with_peer_server(stack, 0, "https://east.example")) == ""
