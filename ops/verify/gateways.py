"""What the peers found at a cluster's east-west gateway. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mesh import names
from ops.cluster.address import with_port
from ops.cluster.envoy import Endpoint
from ops.verify.facts import ClientFacts, ClusterFacts, MeshFacts


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """
    How a gateway fared.

    Attributes:
        reached: Clusters whose client pod got a connection.
        unreached: From which cluster's client pod there was none to any address, and why.
        doubtful: The same of an address that gave none while another did.
        barred: Clusters whose pod got a connection, and whose sidecar never got through.
    """

    reached: tuple[str, ...]
    unreached: tuple[str, ...]
    doubtful: tuple[str, ...]
    barred: tuple[str, ...]


def judge(facts: MeshFacts, target: ClusterFacts) -> Verdict:
    """Put together what each peer's client pod and its sidecar say; nothing that was not tried counts."""
    tried = {
        client.cluster: outcomes
        for client in facts.clients.values()
        if client.cluster != target.name and (outcomes := _outcomes(client, target))
    }
    reached = tuple(cluster for cluster, outcomes in tried.items() if not all(outcomes.values()))
    return Verdict(
        reached=reached,
        unreached=tuple(
            _no_connection(cluster, outcomes) for cluster, outcomes in tried.items() if cluster not in reached
        ),
        doubtful=tuple(
            _no_connection(cluster, {address: error})
            for cluster in reached
            for address, error in tried[cluster].items()
            if error
        ),
        barred=tuple(cluster for cluster in reached if _is_barred(facts.clients[cluster], target)),
    )


def through(client: ClientFacts, target: ClusterFacts) -> Iterator[Endpoint]:
    """Those endpoints of a client's sidecar that lead through a cluster's gateway."""
    for endpoint in client.endpoints:
        if endpoint.address in target.gateway.resolved and endpoint.port == names.CROSS_NETWORK_PORT:
            yield endpoint


def answered(client: ClientFacts, target: ClusterFacts) -> int:
    """How many requests of a client were answered through a cluster's gateway."""
    return sum(endpoint.answered for endpoint in through(client, target))


def _outcomes(client: ClientFacts, target: ClusterFacts) -> Mapping[str, str]:
    return {address: client.gateways[address] for address in target.gateway.targets if address in client.gateways}


def _is_barred(client: ClientFacts, target: ClusterFacts) -> bool:
    failures = any(endpoint.connect_failures for endpoint in through(client, target))
    return failures and not answered(client, target)


def _no_connection(cluster: str, outcomes: Mapping[str, str]) -> str:
    places = (f"{with_port(address, names.CROSS_NETWORK_PORT)} ({why})" for address, why in outcomes.items())
    return f"no connection from {cluster} to {', '.join(places)}"
