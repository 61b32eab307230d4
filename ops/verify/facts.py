"""What was seen of a mesh, before anything is concluded from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ops.cluster.envoy import Certificates, Endpoint
from ops.cluster.views import ServiceView, Workload
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally
from ops.verify.consistency import Surface


class Credential(StrEnum):
    """How a remote secret fared when it was tried from here."""

    ACCEPTED = "accepted"
    ABSENT = "absent"
    UNLABELLED = "not labelled istio/multiCluster=true"
    MALFORMED = "malformed"
    REFUSED = "token refused"
    FORBIDDEN = "token may not read endpoint slices"
    WRONG_CA = "server certificate not accepted"
    NO_API = "server answered as no API"
    UNREACHABLE = "server not reached from here"
    UNREAD = "not shown by the API"


WRONG_CREDENTIALS = frozenset({Credential.MALFORMED, Credential.REFUSED, Credential.FORBIDDEN, Credential.WRONG_CA})
UNTRIED = frozenset({Credential.NO_API, Credential.UNREACHABLE, Credential.UNREAD})
"""What the machine of the person may meet where istiod does not: it says nothing of the credential."""
SYNCED = "synced"


@dataclass(frozen=True, kw_only=True)
class RemoteFacts:
    """
    How one cluster reads a peer.

    Attributes:
        sync: What the cluster's istiod says of the peer; empty where it could not be asked.
        query_error: Why it could not.
    """

    peer: str
    credential: Credential
    detail: str = ""
    sync: str = ""
    query_error: str = ""


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
        """As the Service has them: IP addresses or host names."""
        return self.service.addresses if self.service else ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Where a pod is to try it: a name that does not resolve here may resolve there."""
        return self.resolved or self.addresses


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
        read_errors: Why the API did not show something, by the name of the attribute that is then unknown.
        network_label: On namespace istio-system.
        roots: Fingerprints (SHA-256) of the certificates in the mesh root, by namespace.
        certificates: What the pods of helloworld and of the ingress gateway use, by pod.
        shared: What its peers must have the same.
        local: Ready helloworld pods' addresses by version.
    """

    name: str
    network: str
    versions: tuple[str, ...]
    error: str = ""
    read_errors: Mapping[str, str] = field(default_factory=dict)
    kubernetes: str = ""
    istiod: Workload | None = None
    network_label: str | None = None
    roots: Mapping[str, frozenset[str]] = field(default_factory=dict)
    certificates: Mapping[str, Certificates] = field(default_factory=dict)
    service: ServiceFacts = ServiceFacts(present=False, detail="not looked at")
    shared: Surface = field(default_factory=dict)
    gateway: GatewayFacts = GatewayFacts(workload=None)
    ingress: tuple[str, ...] = ()
    local: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remotes: tuple[RemoteFacts, ...] = ()

    @property
    def shows_gateway(self) -> bool:
        """Whether it is known where its east-west gateway is, or that it is nowhere."""
        return not self.error and "gateway" not in self.read_errors


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """
    What the client pod of a cluster saw.

    Attributes:
        pod: Its name; empty where it could not be created.
        error: Why there was no client pod, or why it could not be asked.
        endpoints: What its sidecar knows of helloworld, after the traffic.
        gateways: Why it got no connection to a peer's east-west gateway, or empty, by the address that it tried.
        certificates: What its sidecar uses.
    """

    cluster: str
    pod: str = ""
    error: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    gateways: Mapping[str, str] = field(default_factory=dict)
    certificates: Certificates | None = None


@dataclass(frozen=True, kw_only=True)
class TrafficFacts:
    """
    One curl loop.

    Attributes:
        audience: Whose requests it made; empty for everybody's.
        error: Why it could not be made.
    """

    cluster: str
    source: TrafficSource
    url: str
    tally: Tally
    audience: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class MeshFacts:
    """All that `verify` saw."""

    clusters: tuple[ClusterFacts, ...]
    clients: Mapping[str, ClientFacts] = field(default_factory=dict)
    traffic: tuple[TrafficFacts, ...] = ()
