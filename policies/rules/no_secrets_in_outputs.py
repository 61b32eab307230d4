"""Outputs hold no secrets, since everyone who can read the stack can read them."""

from collections.abc import Iterator, Sequence

from policies.lib import secret_material
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import OWN_COMPONENTS, STACK, Resource

RULE = Rule(
    name="mcsps-secrets-not-in-outputs",
    description=(
        "No output of the stack or of its components is a key, a token or a kubeconfig, not even one marked as secret."
    ),
    why="Everyone who can read the stack can read its outputs, those that are marked as secret included.",
    limits=(
        "It knows the same forms as [`mcsps-secrets-not-in-inputs`](#mcsps-secrets-not-in-inputs). It does "
        "not see the outputs of other resources, which their providers mark."
    ),
    remedy="export a reference instead, such as its name or expiry; treat the exported value as leaked and rotate it",
)


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Search the outputs of the stack and of the program's components."""
    for resource in resources:
        if resource.type == STACK or resource.type.startswith(OWN_COMPONENTS):
            for found in secret_material.find(resource.properties):
                yield resource, f"{'the stack' if resource.type == STACK else resource} has {found} among its outputs"


POLICY = stack_policy(RULE, check)
