"""A healthy mesh as `ops` sees it, and functions that break it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.parsing import parse
from config.schema import Settings
from ops.cluster.envoy import ProxyEndpoint
from ops.cluster.polling import Poller
from ops.cluster.views import ServiceView, Workload
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally
from ops.verify.check import Check
from ops.verify.checks import CHECKS
from ops.verify.checks.service_present import ServiceFacts
from ops.verify.diagnosis import diagnose
from ops.verify.facts import ClientFacts, ClusterFacts, Fact, Inspection, MeshFacts, TrafficFacts
from ops.verify.gateways import GatewayFacts
from ops.verify.links import REMOTES, SYNCED, RemoteFacts
from ops.verify.remote import CredentialState
from ops.verify.report import CheckResult
from tests.support.api_double import ApiDouble
from tests.support.authority import Authority

MESH_CA = Authority("mesh")
FOREIGN_CA = Authority("foreign")
SHARED = {
    "Service sample/helloworld": {"ports": {"http": {"port": 5000, "protocol": "TCP", "appProtocol": None}}},
    "VirtualService sample/helloworld": {
        "spec": {"hosts": ["*"], "http": [{"route": [{"weight": 90}, {"weight": 10}]}]}
    },
}
"""The facts that are the same in every cluster."""
ROOT = frozenset({"a1" * 32})
FOREIGN_ROOT = frozenset({"f0" * 32})
NAMES = ("east", "west", "north")
VERSIONS = {"east": ("v1",), "west": ("v2",), "north": ()}


FACTS: Mapping[str, Fact[Any]] = {fact.name: fact for check in CHECKS for fact in (*check.needs, *check.uses)}
"""The facts that the checks read in a cluster, by name."""
UNKNOWN = ("istiod", "network_label", "roots", "certificates", "service", "shared", "gateway", "local")
"""The facts that a test can hide, by name."""


def values(**facts: object) -> Mapping[Fact[Any], object]:
    """Return the values of facts, which are given by name."""
    return {FACTS[name]: value for name, value in facts.items()}


def gateway_address(cluster: str) -> str:
    """Return the east-west address of a cluster."""
    return f"198.18.{11 + NAMES.index(cluster)}.2"


def gateway(cluster: str, *addresses: str, ready: int = 1) -> GatewayFacts:
    """Return the east-west gateway of a cluster, by default with its one address."""
    given = addresses or (gateway_address(cluster),)
    labels = {"topology.istio.io/network": f"network-{cluster}"}
    return GatewayFacts(
        workload=Workload(wanted=1, ready=ready),
        service=ServiceView(labels=labels, ports=(15443,), addresses=given),
        resolved=given,
    )


def healthy_cluster(name: str, names: Sequence[str]) -> ClusterFacts:
    """Return a cluster without a problem."""
    versions = VERSIONS[name]
    return ClusterFacts(
        name=name,
        network=f"network-{name}",
        versions=versions,
        key=f"mcsps:clusters[{NAMES.index(name)}]",
        kubernetes="v1.35.4",
        values=values(
            scaled=(),
            istiod=Workload(wanted=1, ready=1),
            network_label=f"network-{name}",
            roots={"istio-system": ROOT, "sample": ROOT},
            service=ServiceFacts(present=True, detail="sample/helloworld:5000"),
            certificates={f"helloworld-{name}": MESH_CA.certificates()},
            shared=SHARED,
            gateway=gateway(name),
            ingress=("198.18.0.1",),
            local=dict.fromkeys(versions, ("10.42.0.9",)),
            remotes=tuple(
                RemoteFacts(peer=peer, credential=CredentialState.ACCEPTED, detail="answered 200", sync=SYNCED)
                for peer in names
                if peer != name
            ),
        ),
    )


def healthy_client(name: str, names: Sequence[str]) -> ClientFacts:
    """Return a client pod whose sidecar reaches every version."""
    endpoints = []
    for source in names:
        for version in VERSIONS[source]:
            address, port = ("10.42.0.9", 5000) if source == name else (gateway_address(source), 15443)
            endpoints += [
                ProxyEndpoint(subset=subset, address=address, port=port, healthy=True, answered=100 if subset else 0)
                for subset in ("", version)
            ]
    return ClientFacts(
        cluster=name,
        pod="mcsps-verify-0a1b2c3d",
        endpoints=tuple(endpoints),
        gateways={gateway_address(peer): "" for peer in names if peer != name},
        certificates=MESH_CA.certificates(),
    )


def loop(
    cluster: str, source: TrafficSource = TrafficSource.CLIENT, v1: int = 900, v2: int = 100, requests: int = 1000
) -> TrafficFacts:
    """Return a curl loop with these numbers of answers."""
    tally = Tally(requests)
    tally.versions.update(v1=v1, v2=v2)
    tally.instances.update({"helloworld-v1-1": v1, "helloworld-v2-1": v2})
    return TrafficFacts(cluster=cluster, source=source, url=f"http://{cluster}/hello", tally=tally)


def healthy_mesh(names: Sequence[str] = ("east", "west")) -> MeshFacts:
    """Return a mesh in which all checks pass with v2Weight 10."""
    return MeshFacts(
        clusters=tuple(healthy_cluster(name, names) for name in names),
        clients={name: healthy_client(name, names) for name in names},
        traffic=tuple(loop(name, source) for name in names for source in TrafficSource),
    )


def spoil(mesh: MeshFacts, cluster: str, **changes: Any) -> MeshFacts:  # noqa: ANN401 - any fact or field
    """Return the mesh with changed facts, given by name, or fields of one cluster."""
    facts = values(**{name: value for name, value in changes.items() if name in FACTS})
    fields = {name: value for name, value in changes.items() if name not in FACTS}
    return replace(
        mesh,
        clusters=tuple(
            replace(each, values={**each.values, **facts}, **fields) if each.name == cluster else each
            for each in mesh.clusters
        ),
    )


def hide(mesh: MeshFacts, cluster: str, name: str, reason: str) -> MeshFacts:
    """Return the mesh with a fact that the API of a cluster does not return."""
    fact = FACTS[name]
    return spoil(mesh, cluster, read_errors={fact: reason}, **{name: fact.unknown})


def spoil_remote(mesh: MeshFacts, cluster: str, peer: str, **changes: Any) -> MeshFacts:  # noqa: ANN401
    """Return the mesh with changes in how one cluster reads a peer."""
    facts = next(facts for facts in mesh.clusters if facts.name == cluster)
    remotes = tuple(replace(link, **changes) if link.peer == peer else link for link in facts.get(REMOTES))
    return spoil(mesh, cluster, remotes=remotes)


def spoil_client(mesh: MeshFacts, cluster: str, **changes: Any) -> MeshFacts:  # noqa: ANN401 - any field of ClientFacts
    """Return the mesh with changed facts of a cluster's client pod."""
    return replace(mesh, clients={**mesh.clients, cluster: replace(mesh.clients[cluster], **changes)})


def block(mesh: MeshFacts, cluster: str, *addresses: str) -> MeshFacts:
    """Return the mesh in which a cluster's client pod cannot connect to some gateways' addresses."""
    refused = dict.fromkeys(addresses, "Connection refused")
    mesh = spoil_client(mesh, cluster, gateways={**mesh.clients[cluster].gateways, **refused})
    for address in addresses:
        mesh = spoil_endpoints(mesh, cluster, address, answered=0, connect_failures=9)
    return mesh


def spoil_endpoints(mesh: MeshFacts, cluster: str, address: str, **changes: Any) -> MeshFacts:  # noqa: ANN401
    """Return the mesh with changed facts of a client pod about one address."""
    endpoints = tuple(
        replace(endpoint, **changes) if endpoint.address == address else endpoint
        for endpoint in mesh.clients[cluster].endpoints
    )
    return spoil_client(mesh, cluster, endpoints=endpoints)


def only_local(mesh: MeshFacts, cluster: str) -> MeshFacts:
    """Return the mesh in which a client pod has only its cluster's endpoints, and other requests fail."""
    client = mesh.clients[cluster]
    local = tuple(endpoint for endpoint in client.endpoints if endpoint.port != 15443)
    return replace(
        mesh,
        clients={**mesh.clients, cluster: replace(client, endpoints=local)},
        traffic=(loop(cluster, v1=1000, v2=0), loop(cluster, v1=900, v2=0)),
    )


def stack_settings(weight: int = 10, *audiences: Mapping[str, object]) -> Settings:
    """Return the settings of a stack with three clusters, each in its own region."""
    return parse(
        {
            "mesh": {"id": "mcsps-lab"},
            "v2Weight": weight,
            "audiences": audiences,
            "clusters": [
                {
                    "name": name,
                    "network": f"network-{name}",
                    "versions": [version],
                    "locality": {"region": f"region-{name}"},
                    "access": {"kind": "kubeconfig", "path": f"/nowhere/{name}"},
                }
                for name, version in (("east", "v1"), ("west", "v2"), ("north", "v1"))
            ],
        }
    )


def inspection(api: ApiDouble, *peers: str, wait: float = 0) -> Inspection:
    """Return the inspection that reads facts of east."""
    cluster = stack_settings().clusters[0]
    return Inspection(cluster=cluster, peers=peers, api=api, poller=Poller(seconds=wait))  # type: ignore[arg-type]


def results(check: Check, mesh: MeshFacts, cluster: str) -> list[CheckResult]:
    """Return the results of one check in a cluster."""
    return [found for found in diagnose(mesh, stack_settings(), [check]).checks if found.cluster == cluster]
