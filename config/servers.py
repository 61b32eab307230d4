"""Checks of the API servers that the config and its kubeconfigs name, without a query."""

from collections.abc import Iterator, Mapping

from config.base import NAMESPACE
from config.schema import Cluster, KubeconfigAccess, RancherAccess, Settings
from errors import UserError, show_location
from mesh import addresses
from mesh.kubeconfigs import Endpoint


def check_servers(settings: Settings, endpoints: Mapping[str, Endpoint]) -> None:
    """
    Refuse two clusters with one API server, and servers that a peer cannot reach.

    Args:
        settings: The stack's config.
        endpoints: The API server of each kubeconfig, by the cluster's name.

    Raises:
        UserError: A server cannot be used. The message names the key.
    """
    seen: dict[tuple[str, int, str], tuple[int, str]] = {}
    for index, key, server in _named(settings, endpoints):
        other, other_key = seen.setdefault(addresses.normalized(server), (index, key))
        if other != index:
            raise UserError(
                f"got {show_location(server)}, to which {other_key} leads too; allowed: a different API server for "
                "each cluster",
                "Set the server of the right cluster",
                key=key,
            )
    if len(settings.clusters) > 1:
        for index, cluster in enumerate(settings.clusters):
            _check_reachable(f"{NAMESPACE}:clusters[{index}].peerServer", settings, cluster, endpoints)


def _named(settings: Settings, endpoints: Mapping[str, Endpoint]) -> Iterator[tuple[int, str, str]]:
    for index, cluster in enumerate(settings.clusters):
        place = f"{NAMESPACE}:clusters[{index}]"
        if cluster.name in endpoints:
            yield index, f"{place}.access.path", endpoints[cluster.name].server
        if cluster.peer_server is not None:
            yield index, f"{place}.peerServer", cluster.peer_server


def _check_reachable(key: str, settings: Settings, cluster: Cluster, endpoints: Mapping[str, Endpoint]) -> None:
    remedy = "Set the https:// URL by which the other clusters reach the API server of this one"
    if cluster.peer_server is not None:
        if addresses.is_local(cluster.peer_server):
            raise UserError(
                f"got {show_location(cluster.peer_server)}, which leads every other cluster to itself; allowed: an "
                f"address that all clusters can reach",
                remedy,
                key=key,
            )
        if isinstance(cluster.access, KubeconfigAccess) and addresses.is_rancher_proxy(cluster.peer_server):
            raise UserError(
                f"got {show_location(cluster.peer_server)}, and Rancher's proxy refuses the service accounts of peers; "
                f"allowed: an address of the API server itself",
                f"{remedy} directly, or use access rancher",
                key=key,
            )
        return
    if isinstance(cluster.access, RancherAccess):
        where, server = f"{NAMESPACE}:rancher.url", settings.rancher.url if settings.rancher else ""
    else:
        where, server = "its kubeconfig", endpoints[cluster.name].server
        if endpoints[cluster.name].server_name is not None:
            raise UserError(
                "missing, and its kubeconfig has tls-server-name, without which peers refuse the server's certificate",
                f"{remedy}, with a host that the certificate has",
                key=key,
            )
        if addresses.is_rancher_proxy(server):
            raise UserError(
                f"missing, and its kubeconfig has the server {show_location(server)}: Rancher's proxy refuses the "
                f"service accounts of peers",
                f"{remedy} directly, or use access rancher",
                key=key,
            )
    if addresses.is_local(server):
        raise UserError(
            f"missing, and {where} has the server {show_location(server)}, which leads every other cluster to itself",
            remedy,
            key=key,
        )
