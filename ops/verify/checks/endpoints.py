"""Whether a sidecar knows the endpoints that it must know for helloworld."""

from collections.abc import Iterable, Iterator, Mapping

from mesh import names
from ops.cluster.address import with_port
from ops.cluster.envoy import ProxyEndpoint
from ops.verify.check import Check, CheckState, Result, Subject
from ops.verify.facts import ClientFacts, ClusterFacts, Fact, Inspection
from ops.verify.gateways import GATEWAY


def _read(inspection: Inspection) -> Mapping[str, tuple[str, ...]]:
    pods = inspection.api.pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")
    return {
        version: tuple(sorted(pod.ip for pod in pods if pod.ready and pod.ip and pod.labels.get("version") == version))
        for version in map(str, inspection.cluster.versions)
    }


_NO_PODS: Mapping[str, tuple[str, ...]] = {}
LOCAL_PODS = Fact(name="local", read=_read, unknown=_NO_PODS)
"""Addresses of ready helloworld pods by version."""


def complete(client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> bool:
    """Return whether a sidecar knows every endpoint that it must know."""
    return all(result.state is not CheckState.FAILED for result in _judge(client, clusters))


def _evaluate(subject: Subject) -> Iterable[Result]:
    clusters = {cluster.name: cluster for cluster in subject.mesh.clusters}
    return _judge(subject.client, clusters) if subject.client else ()


def _judge(client: ClientFacts, clusters: Mapping[str, ClusterFacts]) -> Iterator[Result]:
    """Expect of every version that runs the own cluster's pods, and each peer's by its gateway."""
    own = clusters[client.cluster]
    if own.versions:
        yield _judge_local(own, client)
    for peer in clusters.values():
        if peer is not own and peer.versions:
            yield _judge_remote(own, peer, client)


def _judge_local(cluster: ClusterFacts, client: ClientFacts) -> Result:
    local = cluster.get(LOCAL_PODS)
    missing = [
        problem
        for version in cluster.versions
        for problem in _missing_pods(version, local.get(version, ()), client.endpoints)
    ]
    pods = [with_port(ip, names.HELLOWORLD_PORT) for ips in local.values() for ip in ips]
    return Result(
        state=CheckState.of(passed=not missing),
        seen="; ".join(missing) or f"local {', '.join(pods)} healthy",
        depends_on=frozenset({(cluster.name, None)}),
    )


def _judge_remote(cluster: ClusterFacts, peer: ClusterFacts, client: ClientFacts) -> Result:
    addresses = peer.get(GATEWAY).resolved
    missing = [
        problem for version in peer.versions for problem in _missing_gateway(version, addresses, client.endpoints)
    ]
    shown = ", ".join(with_port(address, names.CROSS_NETWORK_PORT) for address in addresses)
    state = CheckState.of(passed=not missing)
    seen = "; ".join(missing) or f"{'+'.join(peer.versions)} at {shown} healthy"
    if not peer.knows(GATEWAY):
        state, seen = CheckState.SKIPPED, f"the east-west address of {peer.name} is not known"
    places = frozenset({(cluster.name, peer.name), (peer.name, None)})
    return Result(state=state, seen=seen, peer=peer.name, depends_on=places)


def _missing_pods(version: str, ips: tuple[str, ...], endpoints: tuple[ProxyEndpoint, ...]) -> Iterator[str]:
    if not ips:
        yield f"{version} has no ready pod"
    known = _healthy(version, endpoints)
    for ip in ips:
        if (ip, names.HELLOWORLD_PORT) not in known:
            yield _wanted(version, with_port(ip, names.HELLOWORLD_PORT), endpoints)


def _missing_gateway(version: str, addresses: tuple[str, ...], endpoints: tuple[ProxyEndpoint, ...]) -> Iterator[str]:
    if not addresses:
        yield f"{version}: the peer's east-west gateway has no address"
    known = _healthy(version, endpoints)
    # One of several addresses is enough: behind a host name, istiod may have resolved others.
    if addresses and not any((ip, names.CROSS_NETWORK_PORT) in known for ip in addresses):
        shown = " or ".join(with_port(ip, names.CROSS_NETWORK_PORT) for ip in addresses)
        yield _wanted(version, shown, endpoints)


def _healthy(version: str, endpoints: tuple[ProxyEndpoint, ...]) -> set[tuple[str, int]]:
    return {
        (endpoint.address, endpoint.port) for endpoint in endpoints if endpoint.subset == version and endpoint.healthy
    }


def _wanted(version: str, wanted: str, endpoints: tuple[ProxyEndpoint, ...]) -> str:
    has = sorted(
        with_port(endpoint.address, endpoint.port) + ("" if endpoint.healthy else " unhealthy")
        for endpoint in endpoints
        if endpoint.subset == version
    )
    return f"{version} wants {wanted}, the sidecar has {', '.join(has) or 'none'}"


CHECK = Check(
    id="endpoints",
    meaning="The client pod's sidecar knows the cluster's own pods and each peer's gateway, and finds them healthy.",
    order=110,
    column="endpoints",
    needs=(LOCAL_PODS,),
    uses=(GATEWAY,),
    evaluate=_evaluate,
    hint="Look at `istioctl proxy-status` and istiod's log",
)
