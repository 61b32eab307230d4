"""What was seen of a mesh, before anything is concluded from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ops.api import Workload
from ops.envoy import Endpoint
from ops.split import Tally


class Credential(StrEnum):
    """How a remote secret fared when it was tried from here."""

    ACCEPTED = "accepted"
    ABSENT = "absent"
    UNLABELLED = "not labelled istio/multiCluster=true"
    MALFORMED = "malformed"
    REFUSED = "token refused"
    FORBIDDEN = "token may not read endpoint slices"
    WRONG_CA = "server certificate not accepted"
    UNREACHABLE = "server not reached from here"


WRONG_CREDENTIALS = frozenset({Credential.MALFORMED, Credential.REFUSED, Credential.FORBIDDEN, Credential.WRONG_CA})
SYNCED = "synced"


@dataclass(frozen=True, kw_only=True)
class RemoteFacts:
    """
    How one cluster reads a peer.

    Attributes:
        sync: What the cluster's istiod says of the peer; empty where it could not be asked.
    """

    peer: str
    credential: Credential
    detail: str = ""
    sync: str = ""


@dataclass(frozen=True, kw_only=True)
class GatewayFacts:
    """
    The east-west gateway of a cluster.

    Attributes:
        addresses: As the Service has them: IP addresses or host names.
        resolved: IP addresses behind `addresses`.
        trouble: Why no TCP connection came about from here, or empty.
    """

    workload: Workload | None
    addresses: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """The Service helloworld; `present` is false where it or its port is missing."""

    present: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """
    One cluster as its API shows it.

    Attributes:
        network: As config has it.
        versions: As config has them.
        error: Why the API gave no answer; all that follows is then unknown.
        network_label: On namespace istio-system.
        roots: Fingerprints (SHA-256) of the certificates in the mesh root, by namespace.
        local: Ready helloworld pods' addresses by version.
    """

    name: str
    network: str
    versions: tuple[str, ...]
    error: str = ""
    kubernetes: str = ""
    istiod: Workload | None = None
    network_label: str | None = None
    roots: Mapping[str, frozenset[str]] = field(default_factory=dict)
    service: ServiceFacts = ServiceFacts(present=False, detail="not looked at")
    gateway: GatewayFacts = GatewayFacts(workload=None)
    ingress: tuple[str, ...] = ()
    local: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remotes: tuple[RemoteFacts, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """
    What the client pod of a cluster saw.

    Attributes:
        pod: Its name; empty where it could not be created.
        trouble: Why there was no client pod, or why it could not be asked.
        endpoints: What its sidecar knows of helloworld, after the traffic.
    """

    cluster: str
    pod: str = ""
    trouble: str = ""
    endpoints: tuple[Endpoint, ...] = ()


class Way(StrEnum):
    """Where a curl loop starts."""

    INGRESS = "ingress"
    CLIENT = "client"


@dataclass(frozen=True, kw_only=True)
class TrafficFacts:
    """One curl loop; `trouble` says why it could not be made."""

    cluster: str
    way: Way
    url: str
    tally: Tally
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class MeshFacts:
    """All that `verify` saw."""

    clusters: tuple[ClusterFacts, ...]
    clients: Mapping[str, ClientFacts] = field(default_factory=dict)
    traffic: tuple[TrafficFacts, ...] = ()
