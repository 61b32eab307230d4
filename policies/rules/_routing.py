"""Istio's routing objects, by the cluster that they are in."""

from ._resources import Resource
from ._values import look

CLUSTER_DOMAIN = "svc.cluster.local"


def is_virtual_service(resource: Resource) -> bool:
    """Whether a resource is a VirtualService."""
    return resource.is_object("networking.istio.io/VirtualService")


def is_destination_rule(resource: Resource) -> bool:
    """Whether a resource is a DestinationRule."""
    return resource.is_object("networking.istio.io/DestinationRule")


def spec(resource: Resource) -> object:
    """The object's specification."""
    return look(resource.properties, "spec")


def full_host(host: str, namespace: str) -> str:
    """Complete a short host as Istio does: one without a dot is a Service of the object's own namespace."""
    return host if "." in host or host.startswith("*") else f"{host}.{namespace}.{CLUSTER_DOMAIN}"
