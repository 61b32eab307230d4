"""The Services of the gateways, and the addresses of their load balancers."""

from functools import partial
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ErrorHook, ErrorHookArgs, Output, Resource, ResourceHookBinding, ResourceOptions

from components import operator_installer
from components.istio_install_args import HelmInstallerArgs, IstioInstallArgs
from mesh import istio_values, names
from mesh.gateways import Gateway

_TIMED_OUT = "timed out waiting for the condition"
"""What Pulumi's error says if an object does not become ready."""


def create(parent: Resource, name: str, args: IstioInstallArgs, gateway: Gateway) -> k8s.core.v1.Service:
    """Register the Service of a gateway below `parent`."""
    network = gateway.network(args.control_plane.network)
    selector = istio_values.gateway_labels(gateway.release)
    targets = {} if isinstance(args.installer, HelmInstallerArgs) else operator_installer.TARGET_PORTS
    logical_name = f"{name}-{gateway.role}"
    report = partial(report_missing_address, args.control_plane.cluster_name, gateway)
    hooks = [ErrorHook(f"{logical_name}-address", report)] if gateway.has_load_balancer else None
    return k8s.core.v1.Service(
        logical_name,
        metadata={
            "name": gateway.release,
            "namespace": names.ISTIO_NAMESPACE,
            "labels": {**selector, **({names.NETWORK_LABEL: network} if network else {})},
            "annotations": gateway.service_annotations(args.control_plane.timeout_seconds),
        },
        spec={
            "type": gateway.service_type,
            "selector": selector,
            "ports": [
                {"name": port_name, "port": port, "target_port": targets.get(port, port), "protocol": "TCP"}
                for port_name, port in {"status-port": names.STATUS_PORT, **gateway.ports}.items()
            ],
        },
        opts=ResourceOptions(parent=parent, hooks=ResourceHookBinding(on_error=hooks)),
    )


def address(service: k8s.core.v1.Service, cluster_name: str, gateway: Gateway) -> Output[str | None]:
    """The IP address or host name of a gateway's load balancer; `None` if it has lost its address."""
    return service.status.apply(partial(_read_address, cluster_name, gateway))


def _read_address(cluster_name: str, gateway: Gateway, status: Any) -> str | None:  # noqa: ANN401 - the SDK's output type has no public name
    balancer = status and status.load_balancer
    for ingress in (balancer and balancer.ingress) or ():
        if found := ingress.ip or ingress.hostname:
            return str(found)
    # An error would end the program, and with it the routing of all other clusters.
    pulumi.log.warn(_describe_missing_address(cluster_name, gateway, "pulumi up --refresh"))
    return None


def report_missing_address(cluster_name: str, gateway: Gateway, args: ErrorHookArgs) -> bool:
    """Name a gateway whose load balancer gave no address in time; Pulumi's own error names neither. Never retries."""
    if args.failed_operation != "delete" and any(_TIMED_OUT in error for error in args.errors):
        pulumi.log.error(_describe_missing_address(cluster_name, gateway, "pulumi up"))
    return False


def _describe_missing_address(cluster_name: str, gateway: Gateway, remedy: str) -> str:
    return (
        f"Service {names.ISTIO_NAMESPACE}/{gateway.release} of cluster {cluster_name} has no address. "
        f"Check the load balancer controller of that cluster, then run `{remedy}`"
    )
