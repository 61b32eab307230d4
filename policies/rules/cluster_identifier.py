"""Every Kubernetes provider names its cluster."""

from collections.abc import Iterator

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import KUBERNETES_PROVIDER, Provider, Resource
from policies.lib.values import UNKNOWN, look, show

RULE = Rule(
    name="mcsps-kubernetes-cluster-identifier",
    description="Every Kubernetes provider has a clusterIdentifier.",
    remedy="set cluster_identifier to the cluster's name, as a plain string and not as an Output",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse a missing identifier; default providers are the explicit-provider rule's matter."""
    if resource.type != KUBERNETES_PROVIDER or Provider(name=resource.name, inputs={}).is_default:
        return
    identifier = look(resource.properties, "clusterIdentifier")
    if identifier is not UNKNOWN and not (isinstance(identifier, str) and identifier.strip()):
        yield (
            f"provider {resource.name} has {show(identifier)} for clusterIdentifier; without the cluster's name, a new "
            "token in its kubeconfig replaces every resource of the cluster"
        )


POLICY = resource_policy(RULE, check)
