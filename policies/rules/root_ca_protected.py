"""The root CA is protected against deletion."""

from collections.abc import Iterator

from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._root_ca import is_root_ca

RULE = Rule(
    name="mcsps-root-ca-protected",
    description="The root CA is protected against deletion.",
    remedy="set mcsps:trust.protectRoot to true; a lab that is thrown away disables this policy by its policy config",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Ask for the option `protect`."""
    if is_root_ca(resource) and not resource.protect:
        yield f"the root CA {resource.name} is not protected, and every certificate of the mesh hangs on it"


POLICY = resource_policy(RULE, check)
