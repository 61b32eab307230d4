"""
Istio on one cluster: control plane, gateways, and the way in for other networks.

Owns `cacerts`, the CRDs, istiod, the ingress, egress and east-west gateways and their addresses. Does not own the CA
(see `MeshTrust`) nor links to peers (see `MeshLink`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.helm.v4 import Chart

from components import _istio_values, _names


@dataclass(frozen=True, kw_only=True, eq=False)
class IstioInstallArgs:
    """What one cluster needs to be a primary of the mesh."""

    cluster_name: str
    """Istio's `clusterName`."""
    network: str
    locality: str | None
    """Istio's locality of the gateways' pods; none for that of their nodes."""
    mesh_id: str
    trust_domain: str
    cacerts: Input[Mapping[str, str]] = field(repr=False)
    """The four entries of the Secret, PEM by file name; a secret."""
    hub: str
    tag: str
    charts: str
    """An https:// repository, an oci:// registry, or a folder."""
    chart_version: str
    """Ignored for a folder."""
    timeout_seconds: int
    """How long to wait for each Deployment and each load balancer."""
    reads_peer_secrets: bool
    """Whether istiod watches its peers' Secrets, for gateways there that name them."""
    crd_provider: k8s.Provider
    """For the chart `base`, whose CRDs may be there already; it holds a ValidatingWebhookConfiguration besides."""
    base_values: Mapping[str, Any]
    istiod_values: Mapping[str, Any]
    gateway_values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Release:
    name: str
    chart: str
    values: Mapping[str, Any]
    provider: k8s.Provider | None = None


@dataclass(frozen=True, kw_only=True)
class _Gateway:
    role: str
    release: str
    service_type: str
    ports: Mapping[str, int]
    serves_other_networks: bool = False

    def network(self, own: str) -> str | None:
        """The network that it serves to others, if it does."""
        return own if self.serves_other_networks else None


WEB = {"http2": _names.HTTP_PORT, "https": _names.HTTPS_PORT}
INGRESS = _Gateway(role="ingress", release=_names.INGRESS_GATEWAY, service_type="LoadBalancer", ports=WEB)
EGRESS = _Gateway(role="egress", release=_names.EGRESS_GATEWAY, service_type="ClusterIP", ports=WEB)
EASTWEST = _Gateway(
    role="eastwest",
    release=_names.EASTWEST_GATEWAY,
    service_type="LoadBalancer",
    # The chart's Service would also open istiod's ports, which no peer primary needs.
    ports={"tls": _names.CROSS_NETWORK_PORT},
    serves_other_networks=True,
)
GATEWAYS = (INGRESS, EGRESS, EASTWEST)


class IstioInstall(pulumi.ComponentResource):
    """An Istio control plane with its three gateways, ready to serve."""

    ingress_address: Output[str]
    """Address or host name of the ingress gateway's load balancer."""
    eastwest_address: Output[str]
    """Address or host name of the east-west gateway's load balancer."""

    def __init__(self, name: str, args: IstioInstallArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:IstioInstall", name, {"clusterName": args.cluster_name}, opts)
        cacerts = k8s.core.v1.Secret(
            f"{name}-cacerts",
            metadata={"name": _names.CACERTS, "namespace": _names.ISTIO_NAMESPACE},
            string_data=args.cacerts,
            opts=ResourceOptions(parent=self),
        )
        base = self._chart(
            name,
            args,
            _Release(name="base", chart="base", values=_base_values(args), provider=args.crd_provider),
            after=[],
        )
        istiod = self._chart(
            name, args, _Release(name="istiod", chart="istiod", values=_istiod_values(args)), after=[cacerts, base]
        )
        # Before all else: a cloud takes minutes to make a load balancer, and Pulumi ten seconds to trust any Service.
        ingress, _, eastwest = (self._service(name, args, gateway) for gateway in GATEWAYS)
        *_, eastwest_gateway = (self._gateway(name, args, gateway, istiod) for gateway in GATEWAYS)
        k8s.apiextensions.CustomResource(
            f"{name}-cross-network-gateway",
            api_version="networking.istio.io/v1",
            kind="Gateway",
            metadata={
                "name": _names.CROSS_NETWORK_GATEWAY,
                "namespace": _names.ISTIO_NAMESPACE,
                "annotations": _istio_values.deletion_annotation(),
            },
            spec=_istio_values.cross_network_gateway_spec(),
            # The validating webhook refuses it until istiod has written its CA there, which no annotation of the charts
            # can wait for. Istiod does so as it starts, and a whole gateway comes between (docs/adr/0001).
            opts=ResourceOptions(parent=self, depends_on=[eastwest_gateway]),
        )
        self.ingress_address = ingress.status.apply(partial(_load_balancer_address, args.cluster_name, INGRESS))
        self.eastwest_address = eastwest.status.apply(partial(_load_balancer_address, args.cluster_name, EASTWEST))
        self.register_outputs({"ingressAddress": self.ingress_address, "eastwestAddress": self.eastwest_address})

    def _chart(self, name: str, args: IstioInstallArgs, release: _Release, *, after: list[Resource]) -> Chart:
        source = _istio_values.chart_source(args.charts, release.chart, args.chart_version)
        return Chart(
            f"{name}-{release.name.removeprefix('istio-')}",
            name=release.name,
            namespace=_names.ISTIO_NAMESPACE,
            chart=source.chart,
            version=source.version,
            repository_opts={"repo": source.repository} if source.repository else None,
            values=release.values,
            opts=ResourceOptions(parent=self, provider=release.provider, depends_on=after),
        )

    def _gateway(self, name: str, args: IstioInstallArgs, gateway: _Gateway, control_plane: Resource) -> Chart:
        values = _istio_values.gateway_values(
            network_gateway=gateway.network(args.network),
            locality=args.locality,
            timeout_seconds=args.timeout_seconds,
        )
        return self._chart(
            name,
            args,
            _Release(name=gateway.release, chart="gateway", values=_istio_values.merge(values, args.gateway_values)),
            after=[control_plane],
        )

    def _service(self, name: str, args: IstioInstallArgs, gateway: _Gateway) -> k8s.core.v1.Service:
        network = gateway.network(args.network)
        selector = _istio_values.gateway_labels(gateway.release)
        return k8s.core.v1.Service(
            f"{name}-{gateway.role}",
            metadata={
                "name": gateway.release,
                "namespace": _names.ISTIO_NAMESPACE,
                "labels": {**selector, **({_names.NETWORK_LABEL: network} if network else {})},
                "annotations": _istio_values.timeout_annotation(args.timeout_seconds),
            },
            spec={
                "type": gateway.service_type,
                "selector": selector,
                "ports": [
                    {"name": port_name, "port": port, "target_port": port, "protocol": "TCP"}
                    for port_name, port in {"status-port": _names.STATUS_PORT, **gateway.ports}.items()
                ],
            },
            opts=ResourceOptions(parent=self),
        )


def _base_values(args: IstioInstallArgs) -> Mapping[str, Any]:
    return _istio_values.merge(_istio_values.base_values(), args.base_values)


def _istiod_values(args: IstioInstallArgs) -> Mapping[str, Any]:
    values = _istio_values.istiod_values(
        mesh_id=args.mesh_id,
        trust_domain=args.trust_domain,
        cluster_name=args.cluster_name,
        network=args.network,
        hub=args.hub,
        tag=args.tag,
        reads_peer_secrets=args.reads_peer_secrets,
        timeout_seconds=args.timeout_seconds,
    )
    return _istio_values.merge(values, args.istiod_values)


def _load_balancer_address(cluster_name: str, gateway: _Gateway, status: Any) -> str:  # noqa: ANN401 - the SDK's output type has no public name
    balancer = status and status.load_balancer
    for ingress in (balancer and balancer.ingress) or ():
        if address := ingress.ip or ingress.hostname:
            return str(address)
    raise pulumi.RunError(
        f"Service {_names.ISTIO_NAMESPACE}/{gateway.release} of cluster {cluster_name} has no address; "
        f"see to what makes load balancers there, then run `pulumi up --refresh`"
    )
