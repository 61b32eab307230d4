"""Reads the answers of Envoy's admin interface: `clusters?format=json`, and `config_dump`s of secrets and routes."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mesh import names


@dataclass(frozen=True, kw_only=True)
class ProxyEndpoint:
    """
    One address behind one Envoy cluster.

    Attributes:
        subset: The subset of the DestinationRule, or empty for the whole service.
        healthy: As Envoy sees it: discovery, health checks and outlier detection together.
        connect_failures: Connections that failed.
        answered: Requests with a status below 500.
    """

    subset: str
    address: str
    port: int
    healthy: bool
    connect_failures: int = 0
    answered: int = 0


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """
    What istiod gave to a proxy, each certificate as PEM.

    Attributes:
        chain: The workload's own first, then those that signed it.
        roots: Those that it trusts.
    """

    chain: tuple[str, ...]
    roots: tuple[str, ...]


_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


class _Lax(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _SocketAddress(_Lax):
    address: str
    port_value: int


class _Address(_Lax):
    socket_address: _SocketAddress | None = None


class _Stat(_Lax):
    name: str
    value: int = 0


class _Host(_Lax):
    address: _Address
    stats: tuple[_Stat, ...] = ()
    health_status: dict[str, Any] = Field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Envoy leaves a false flag out, so any flag that is true says what is wrong."""
        flags = dict(self.health_status)
        return flags.pop("eds_health_status", "HEALTHY") == "HEALTHY" and not any(
            flag is True for flag in flags.values()
        )


class _Cluster(_Lax):
    name: str
    host_statuses: tuple[_Host, ...] = ()


class _Clusters(_Lax):
    cluster_statuses: tuple[_Cluster, ...] = ()


class _WeightedCluster(_Lax):
    name: str
    weight: int = 0


class _WeightedClusters(_Lax):
    clusters: tuple[_WeightedCluster, ...] = ()


class _RouteAction(_Lax):
    weighted_clusters: _WeightedClusters = _WeightedClusters()


class _Route(_Lax):
    route: _RouteAction = _RouteAction()


class _VirtualHost(_Lax):
    routes: tuple[_Route, ...] = ()


class _RouteConfig(_Lax):
    virtual_hosts: tuple[_VirtualHost, ...] = ()


class _DynamicRoute(_Lax):
    route_config: _RouteConfig


class _DynamicRoutes(_Lax):
    configs: tuple[_DynamicRoute, ...] = ()


class _Bytes(_Lax):
    inline_bytes: str

    @property
    def certificates(self) -> tuple[str, ...]:
        """The certificates, one by one."""
        return tuple(_PEM.findall(base64.b64decode(self.inline_bytes).decode()))


class _TlsCertificate(_Lax):
    certificate_chain: _Bytes


class _ValidationContext(_Lax):
    trusted_ca: _Bytes


class _Secret(_Lax):
    tls_certificate: _TlsCertificate | None = None
    validation_context: _ValidationContext | None = None


class _NamedSecret(_Lax):
    name: str
    secret: _Secret = _Secret()


class _Secrets(_Lax):
    configs: tuple[_NamedSecret, ...] = ()


def workload_certificates(secrets_json: str) -> Certificates:
    """
    Find the chain that a proxy shows and the roots that it trusts; Envoy itself redacts the keys.

    Raises:
        ValueError: The text is not Envoy's answer, or the proxy has no certificates yet.
    """
    chain: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    for named in _Secrets.model_validate_json(secrets_json).configs:
        if named.name == "default" and named.secret.tls_certificate:
            chain = named.secret.tls_certificate.certificate_chain.certificates
        elif named.name == "ROOTCA" and named.secret.validation_context:
            roots = named.secret.validation_context.trusted_ca.certificates
    if not chain or not roots:
        message = "the proxy has no certificates"
        raise ValueError(message)
    return Certificates(chain=chain, roots=roots)


def helloworld_endpoints(clusters_json: str) -> tuple[ProxyEndpoint, ...]:
    """
    List the endpoints that a sidecar knows for helloworld, subsets included.

    Raises:
        pydantic.ValidationError: The text is not Envoy's answer.
    """
    found = []
    for cluster in _Clusters.model_validate_json(clusters_json).cluster_statuses:
        subset = _helloworld_subset(cluster.name)
        if subset is not None:
            found += [_endpoint(subset, host_status) for host_status in cluster.host_statuses]
    return tuple(endpoint for endpoint in found if endpoint)


def helloworld_splits(routes_json: str) -> tuple[Mapping[str, int], ...]:
    """
    List the weighted routes to helloworld that a proxy has, each as percent by subset.

    Raises:
        pydantic.ValidationError: The text is not Envoy's answer.
    """
    routes = [
        route.route.weighted_clusters.clusters
        for each in _DynamicRoutes.model_validate_json(routes_json).configs
        for host in each.route_config.virtual_hosts
        for route in host.routes
    ]
    splits = (
        {subset: part.weight for part in parts if (subset := _helloworld_subset(part.name)) is not None}
        for parts in routes
    )
    return tuple(split for split in splits if split)


def _helloworld_subset(cluster: str) -> str | None:
    """Read the subset in the name of one of helloworld's Envoy clusters; `None` for another Service's."""
    direction, _, rest = cluster.partition("|")
    port, _, rest = rest.partition("|")
    subset, _, host = rest.partition("|")
    ours = ("outbound", str(names.HELLOWORLD_PORT), names.HELLOWORLD_HOST)
    return subset if (direction, port, host) == ours else None


def _endpoint(subset: str, host: _Host) -> ProxyEndpoint | None:
    socket = host.address.socket_address
    if socket is None:
        return None
    stats: Mapping[str, int] = {stat.name: stat.value for stat in host.stats}
    return ProxyEndpoint(
        subset=subset,
        address=str(ip_address(socket.address)),
        port=socket.port_value,
        healthy=host.healthy,
        connect_failures=stats.get("cx_connect_fail", 0),
        answered=stats.get("rq_success", 0),
    )
