"""Istio's routing objects and host names."""

from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Unknown, look

ALL = 100
"""Percent."""
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
    """Complete a host name as Istio does: without a dot it is a Service of the object's namespace."""
    return host if "." in host or host.startswith("*") else f"{host}.{namespace}.{CLUSTER_DOMAIN}"


def host_of(host: object, of: Resource) -> str | Unknown | None:
    """Complete a host in a routing object; None for a wrong type, `UNKNOWN` if it or its namespace is unknown."""
    if host is UNKNOWN:
        return UNKNOWN
    if not isinstance(host, str):
        return None
    namespace = of.namespace
    return UNKNOWN if isinstance(namespace, Unknown) else full_host(host, namespace)
