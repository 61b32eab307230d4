"""Every resource of Kubernetes names its provider."""

from collections.abc import Iterator

from ._policy import Parameters, Rule, resource_policy
from ._resources import COMPONENTS, Resource

RULE = Rule(
    name="mcsps-kubernetes-explicit-provider",
    description="Every resource of Kubernetes has an explicit provider.",
    remedy="give it ResourceOptions(provider=...) of its cluster's RancherCluster, or a parent that has one",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse the default provider."""
    if not resource.type.startswith("kubernetes:") or COMPONENTS.fullmatch(resource.type):
        return
    if resource.provider is None or resource.provider.is_default:
        yield f"{resource} has the default provider, which is whatever cluster kubectl points at"


POLICY = resource_policy(RULE, check)
