"""The root CA expires."""

from collections.abc import Iterator

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.root_ca import is_root_ca
from policies.lib.values import UNKNOWN, look, show, whole_number

MAXIMUM = "maxRootValidityHours"
RULE = Rule(
    name="mcsps-root-ca-validity",
    description="The validity of the mesh's root CA is bounded, and no update renews it early by itself.",
    why="A root without a bounded validity is never retired. A root that an ordinary update renews splits the mesh.",
    limits=(
        "It looks at the root that MeshTrust creates. It does not see the expiry of a root that the config "
        "provides; the program checks that before it registers anything."
    ),
    remedy=(
        "lower mcsps:trust.rootValidityHours, or raise maxRootValidityHours in the policy config; remove "
        "earlyRenewalHours"
    ),
    schema={
        MAXIMUM: {
            "type": "integer",
            "minimum": 1,
            "default": 87600,
            "description": "The longest validity allowed, in hours.",
        }
    },
)


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Compare the validity with the bound."""
    if not is_root_ca(resource):
        return
    got, early = (look(resource.properties, key) for key in ("validityPeriodHours", "earlyRenewalHours"))
    # The provider plans another certificate once this time has come: an ordinary update would replace the root.
    if early not in (None, UNKNOWN, 0):
        yield f"the root CA {resource.name} has {show(early)} for earlyRenewalHours, so an update replaces it by itself"
    if got is UNKNOWN:
        return
    hours, maximum = whole_number(got), int(parameters[MAXIMUM])
    if hours is None or not 0 < hours <= maximum:
        yield f"the root CA {resource.name} is valid for {show(got)} hours; allowed is a number from 1 to {maximum}"


POLICY = resource_policy(RULE, check)
