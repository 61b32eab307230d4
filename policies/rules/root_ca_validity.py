"""The root CA does not live for ever."""

from collections.abc import Iterator

from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._root_ca import is_root_ca
from ._values import UNKNOWN, look, show, whole_number

MAXIMUM = "maxRootValidityHours"
RULE = Rule(
    name="mcsps-root-ca-validity",
    description="The validity of the root CA is bounded.",
    remedy="lower mcsps:trust.rootValidityHours, or raise maxRootValidityHours in the policy config",
    schema={MAXIMUM: {"type": "integer", "minimum": 1, "default": 87600, "description": "The most hours allowed."}},
)


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Compare with the bound."""
    asked = look(resource.properties, "validityPeriodHours")
    if not is_root_ca(resource) or asked is UNKNOWN:
        return
    hours, maximum = whole_number(asked), int(parameters[MAXIMUM])
    if hours is None or not 0 < hours <= maximum:
        yield f"the root CA {resource.name} is valid for {show(asked)} hours; allowed is a number from 1 to {maximum}"


POLICY = resource_policy(RULE, check)
