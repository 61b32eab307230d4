"""The Secrets by which istiod gets access to its peers."""

from policies.lib.resources import Resource
from policies.lib.values import look

LABEL = "istio/multiCluster"
"""The label by which istiod finds remote secrets."""


def is_remote_secret(resource: Resource) -> bool:
    """Whether istiod reads kubeconfigs from a resource."""
    return resource.is_object("core/Secret") and look(resource.properties, "metadata", "labels", LABEL) == "true"
