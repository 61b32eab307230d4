"""Every Kubernetes resource names its provider."""

from collections.abc import Iterator

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import COMPONENTS, Resource

RULE = Rule(
    name="mcsps-kubernetes-explicit-provider",
    description="Every Kubernetes resource has an explicit provider.",
    why="The default provider uses the current context of kubectl, which can be any cluster.",
    limits=(
        "It recognizes the engine's default provider by its name. It does not check which cluster an explicit "
        "provider uses."
    ),
    remedy="pass ResourceOptions(provider=...) from the cluster's RancherCluster, or set a parent that has a provider",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse the default provider."""
    if not resource.type.startswith("kubernetes:") or COMPONENTS.fullmatch(resource.type):
        return
    if resource.provider is None or resource.provider.is_default:
        yield f"{resource} has the default provider, which uses the current context of kubectl"


POLICY = resource_policy(RULE, check)
