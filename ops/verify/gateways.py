"""East-west gateways: what a cluster's API shows of its own, and what the peers' client pods found there."""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mesh import names
from ops.cluster.address import with_port
from ops.cluster.envoy import ProxyEndpoint
from ops.cluster.views import ServiceView, Workload
from ops.verify.facts import ClientFacts, ClusterFacts, Fact, Inspection, MeshFacts


@dataclass(frozen=True, kw_only=True)
class GatewayFacts:
    """
    The east-west gateway of a cluster.

    Attributes:
        resolved: IP addresses behind `addresses`.
    """

    workload: Workload | None
    service: ServiceView | None = None
    resolved: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """IP addresses or host names, as the Service has them."""
        return self.service.addresses if self.service else ()

    @property
    def targets(self) -> tuple[str, ...]:
        """What a pod connects to: a name that does not resolve here may resolve there."""
        return self.resolved or self.addresses


@dataclass(frozen=True, kw_only=True)
class Reachability:
    """
    How the peers reach a gateway.

    Attributes:
        reached: Clusters whose client pod got a connection.
        unreached: Client pods without a connection to any address, and why.
        doubtful: Addresses without a connection where another address of the gateway has one, and why.
        barred: Clusters whose pod got a connection, and whose sidecar got no request through.
    """

    reached: tuple[str, ...]
    unreached: tuple[str, ...]
    doubtful: tuple[str, ...]
    barred: tuple[str, ...]


def resolve(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the IP addresses behind addresses and host names; a name that does not resolve has none."""
    found: set[str] = set()
    for address in addresses:
        try:
            answers = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
        except OSError:
            continue
        found.update(str(answer[4][0]) for answer in answers)
    return tuple(sorted(found))


def reachability(mesh: MeshFacts, target: ClusterFacts) -> Reachability:
    """Put together what each peer's client pod and its sidecar found; what was not tried counts for nothing."""
    tried = {
        client.cluster: reasons
        for client in mesh.clients.values()
        if client.cluster != target.name and (reasons := _reasons(client, target))
    }
    reached = tuple(cluster for cluster, reasons in tried.items() if not all(reasons.values()))
    return Reachability(
        reached=reached,
        unreached=tuple(
            _no_connection(cluster, reasons) for cluster, reasons in tried.items() if cluster not in reached
        ),
        doubtful=tuple(
            _no_connection(cluster, {address: reason})
            for cluster in reached
            for address, reason in tried[cluster].items()
            if reason
        ),
        barred=tuple(cluster for cluster in reached if _is_barred(mesh.clients[cluster], target)),
    )


def answered(client: ClientFacts, target: ClusterFacts) -> int:
    """Count the requests of a client that were answered through a cluster's gateway."""
    return sum(endpoint.answered for endpoint in _through(client, target))


def _read(inspection: Inspection) -> GatewayFacts:
    api = inspection.api
    service = api.service(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY)
    return GatewayFacts(
        workload=api.deployment(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY),
        service=service,
        resolved=resolve(service.addresses if service else ()),
    )


GATEWAY = Fact(name="gateway", read=_read, unknown=GatewayFacts(workload=None))


def _through(client: ClientFacts, target: ClusterFacts) -> Iterator[ProxyEndpoint]:
    for endpoint in client.endpoints:
        if endpoint.address in target.get(GATEWAY).resolved and endpoint.port == names.CROSS_NETWORK_PORT:
            yield endpoint


def _reasons(client: ClientFacts, target: ClusterFacts) -> Mapping[str, str]:
    targets = target.get(GATEWAY).targets
    return {address: client.gateways[address] for address in targets if address in client.gateways}


def _is_barred(client: ClientFacts, target: ClusterFacts) -> bool:
    failures = any(endpoint.connect_failures for endpoint in _through(client, target))
    return failures and not answered(client, target)


def _no_connection(cluster: str, reasons: Mapping[str, str]) -> str:
    places = (f"{with_port(address, names.CROSS_NETWORK_PORT)} ({reason})" for address, reason in reasons.items())
    return f"no connection from {cluster} to {', '.join(places)}"
