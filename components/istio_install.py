"""
Istio on one cluster: control plane, gateways, and the entry for other networks.

Owns `cacerts`, istiod, the ingress, egress and east-west gateways and their addresses. One of two installers creates
Istio's own objects. Does not own the CA (see `MeshTrust`) nor links to peers (see `MeshLink`).
"""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components import gateway_service, helm_installer, operator_installer
from components.istio_install_args import HelmInstallerArgs, IstioInstallArgs, Readiness
from mesh import gateways, istio_values, names
from mesh.gateways import EASTWEST, INGRESS


class IstioInstall(pulumi.ComponentResource):
    """An Istio control plane and its three gateways."""

    ingress_address: Output[str | None]
    """IP address or host name of the ingress gateway's load balancer; `None` if it has lost its address."""
    eastwest_address: Output[str | None]
    """IP address or host name of the east-west gateway's load balancer; `None` if it has lost its address."""
    readiness: Readiness
    """What an object that needs this Istio is created after."""

    def __init__(self, name: str, args: IstioInstallArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:IstioInstall", name, {"clusterName": args.control_plane.cluster_name}, opts)
        cacerts = k8s.core.v1.Secret(
            f"{name}-cacerts",
            metadata={"name": names.CACERTS, "namespace": names.ISTIO_NAMESPACE},
            string_data=args.cacerts,
            opts=ResourceOptions(parent=self),
        )
        # First, since a cloud takes minutes to create a load balancer.
        services = {gateway: gateway_service.create(self, name, args, gateway) for gateway in gateways.GATEWAYS}
        if isinstance(args.installer, HelmInstallerArgs):
            self.readiness = helm_installer.install(self, name, args.installer, cacerts)
        else:
            self.readiness = operator_installer.install(self, name, args, cacerts)
        k8s.apiextensions.CustomResource(
            f"{name}-cross-network-gateway",
            api_version=args.networking_api,
            kind="Gateway",
            metadata={
                "name": names.CROSS_NETWORK_GATEWAY,
                "namespace": names.ISTIO_NAMESPACE,
                "annotations": istio_values.deletion_annotation(),
            },
            spec=istio_values.cross_network_gateway_spec(),
            # The validating webhook refuses it until istiod has written its CA into the webhook's configuration, and no
            # annotation of the charts can wait for that. Istiod writes it before it serves gateways (docs/adr/0001).
            opts=ResourceOptions(parent=self, depends_on=self.readiness.accepts),
        )
        self.ingress_address, self.eastwest_address = (
            gateway_service.address(services[gateway], args.control_plane.cluster_name, gateway)
            for gateway in (INGRESS, EASTWEST)
        )
        self.register_outputs({"ingressAddress": self.ingress_address, "eastwestAddress": self.eastwest_address})
