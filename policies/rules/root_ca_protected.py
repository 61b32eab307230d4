"""The root CA is protected against deletion."""

from collections.abc import Iterator

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.root_ca import is_root_ca

RULE = Rule(
    name="mcsps-root-ca-protected",
    description="The root CA is protected against deletion.",
    remedy="set mcsps:trust.protectRoot to true; a throw-away lab can disable this policy in its policy config",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Require the option `protect`."""
    if is_root_ca(resource) and not resource.protect:
        yield f"the root CA {resource.name} is not protected, and every certificate of the mesh depends on it"


POLICY = resource_policy(RULE, check)
