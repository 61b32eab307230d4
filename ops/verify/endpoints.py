"""Which endpoints a sidecar should know for helloworld, and whether it does. Pure."""

from collections.abc import Iterable, Mapping

from mesh import names
from ops.cluster.address import with_port
from ops.cluster.envoy import Endpoint
from ops.verify.facts import ClientFacts, ClusterFacts
from ops.verify.report import Check, CheckId, State


def judge(client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> tuple[Check, ...]:
    """Check that a sidecar knows every version that runs: its own cluster's pods, and each peer's by its gateway."""
    own = clusters[client.cluster]
    peers = [cluster for cluster in clusters.values() if cluster is not own and cluster.versions]
    local = [_judge_local(own, client)] if own.versions else []
    return (*local, *(_judge_remote(own, peer, client) for peer in peers))


def complete(client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> bool:
    """Tell whether no endpoint that should be there is missing."""
    return all(check.ok for check in judge(client, clusters))


def _judge_local(cluster: ClusterFacts, client: ClientFacts) -> Check:
    missing = [
        problem
        for version in cluster.versions
        for problem in _missing_pods(version, cluster.local.get(version, ()), client.endpoints)
    ]
    pods = [with_port(ip, names.HELLOWORLD_PORT) for ips in cluster.local.values() for ip in ips]
    return Check(
        id=CheckId.ENDPOINTS,
        cluster=cluster.name,
        state=State.FAILED if missing else State.PASSED,
        seen="; ".join(missing) or f"local {', '.join(pods)} healthy",
    )


def _judge_remote(cluster: ClusterFacts, peer: ClusterFacts, client: ClientFacts) -> Check:
    addresses = peer.gateway.resolved
    missing = [
        problem for version in peer.versions for problem in _missing_gateway(version, addresses, client.endpoints)
    ]
    shown = ", ".join(with_port(address, names.CROSS_NETWORK_PORT) for address in addresses)
    state = State.FAILED if missing else State.PASSED
    seen = "; ".join(missing) or f"{'+'.join(peer.versions)} at {shown} healthy"
    if not peer.shows_gateway:
        state, seen = State.SKIPPED, f"the east-west address of {peer.name} is not known"
    return Check(id=CheckId.ENDPOINTS, cluster=cluster.name, peer=peer.name, state=state, seen=seen)


def _missing_pods(version: str, ips: tuple[str, ...], endpoints: tuple[Endpoint, ...]) -> Iterable[str]:
    if not ips:
        yield f"{version} has no ready pod"
    known = _healthy(version, endpoints)
    for ip in ips:
        if (ip, names.HELLOWORLD_PORT) not in known:
            yield _wanted(version, with_port(ip, names.HELLOWORLD_PORT), endpoints)


def _missing_gateway(version: str, addresses: tuple[str, ...], endpoints: tuple[Endpoint, ...]) -> Iterable[str]:
    if not addresses:
        yield f"{version}: the peer's east-west gateway has no address"
    known = _healthy(version, endpoints)
    # One of several addresses is enough: behind a host name, istiod may have resolved others.
    if addresses and not any((ip, names.CROSS_NETWORK_PORT) in known for ip in addresses):
        shown = " or ".join(with_port(ip, names.CROSS_NETWORK_PORT) for ip in addresses)
        yield _wanted(version, shown, endpoints)


def _healthy(version: str, endpoints: tuple[Endpoint, ...]) -> set[tuple[str, int]]:
    return {
        (endpoint.address, endpoint.port) for endpoint in endpoints if endpoint.subset == version and endpoint.healthy
    }


def _wanted(version: str, wanted: str, endpoints: tuple[Endpoint, ...]) -> str:
    has = sorted(
        with_port(endpoint.address, endpoint.port) + ("" if endpoint.healthy else " unhealthy")
        for endpoint in endpoints
        if endpoint.subset == version
    )
    return f"{version} wants {wanted}, the sidecar has {', '.join(has) or 'none'}"
