"""What `verify` reads of a mesh, before it concludes anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from config.schema import Cluster
from ops.cluster.api import ClusterApi
from ops.cluster.envoy import Certificates, ProxyEndpoint
from ops.cluster.polling import Poller
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally

Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """
    What a fact is read with: one cluster of the config, its API, and the names of its peers.

    Attributes:
        key: The cluster's key in the config, such as `mcsps:clusters[0]`.
    """

    cluster: Cluster
    peers: tuple[str, ...]
    api: ClusterApi
    poller: Poller
    key: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fact(Generic[Value_co]):
    """
    One thing to read of a cluster. Checks that share a fact share its reading.

    Attributes:
        name: Unique among the facts.
        read: Reads it; an ApiError leaves it unknown.
        unknown: The value of a fact that was not read.
    """

    name: str
    read: Callable[[Inspection], Value_co]
    unknown: Value_co


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """
    One cluster as its API shows it.

    Attributes:
        network: As config has it.
        versions: As config has them.
        key: Its key in the config, such as `mcsps:clusters[0]`.
        error: Why the API did not answer; all facts are then unknown.
        kubernetes: The API server's version.
        values: The facts that were read.
        read_errors: Why other facts were not.
    """

    name: str
    network: str
    versions: tuple[str, ...]
    key: str = ""
    error: str = ""
    kubernetes: str = ""
    values: Mapping[Fact[Any], object] = field(default_factory=dict)
    read_errors: Mapping[Fact[Any], str] = field(default_factory=dict)

    def get(self, fact: Fact[Value_co]) -> Value_co:
        """Return a fact's value, or what stands for it where it was not read."""
        return cast("Value_co", self.values.get(fact, fact.unknown))

    def was_tried(self, fact: Fact[Any]) -> bool:
        """Return whether a fact was read, or could not be."""
        return fact in self.values or fact in self.read_errors

    def knows(self, fact: Fact[Any]) -> bool:
        """Return whether a fact was read."""
        return not self.error and fact not in self.read_errors


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """
    What the client pod of a cluster saw.

    Attributes:
        pod: Its name; empty where it could not be created.
        error: Why there was no client pod, or why it could not be queried.
        endpoints: What its sidecar knows of helloworld, after the traffic.
        gateways: Why there was no connection to a peer's east-west gateway, or empty, by the address that was tried.
        certificates: What its sidecar uses.
    """

    cluster: str
    pod: str = ""
    error: str = ""
    endpoints: tuple[ProxyEndpoint, ...] = ()
    gateways: Mapping[str, str] = field(default_factory=dict)
    certificates: Certificates | None = None


@dataclass(frozen=True, kw_only=True)
class TrafficFacts:
    """
    One request loop.

    Attributes:
        audience: Whose requests it sent; empty for everybody's.
        error: Why it could not run.
    """

    cluster: str
    source: TrafficSource
    url: str
    tally: Tally
    audience: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class MeshFacts:
    """All that `verify` read."""

    clusters: tuple[ClusterFacts, ...]
    clients: Mapping[str, ClientFacts] = field(default_factory=dict)
    traffic: tuple[TrafficFacts, ...] = ()

    @property
    def reached(self) -> tuple[ClusterFacts, ...]:
        """The clusters whose API answered."""
        return tuple(cluster for cluster in self.clusters if not cluster.error)
