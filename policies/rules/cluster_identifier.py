"""Every provider of Kubernetes says which cluster it is for."""

from collections.abc import Iterator

from ._policy import Parameters, Rule, resource_policy
from ._resources import KUBERNETES_PROVIDER, Provider, Resource
from ._values import UNKNOWN, look, show

RULE = Rule(
    name="mcsps-kubernetes-cluster-identifier",
    description="Every provider of Kubernetes has a clusterIdentifier.",
    remedy="set cluster_identifier to the cluster's name, a plain text and no Output",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse an identifier that is missing; the default provider is another rule's."""
    if resource.type != KUBERNETES_PROVIDER or Provider(name=resource.name, inputs={}).is_default:
        return
    identifier = look(resource.properties, "clusterIdentifier")
    if identifier is not UNKNOWN and not (isinstance(identifier, str) and identifier.strip()):
        yield (
            f"provider {resource.name} has {show(identifier)} for clusterIdentifier; without the cluster's name, a new "
            "token in its kubeconfig replaces every resource of the cluster"
        )


POLICY = resource_policy(RULE, check)
