"""Outputs are for whoever may read the stack, and that is not who may hold its keys."""

from collections.abc import Iterator, Sequence

from . import _secret_material
from ._policy import Parameters, Rule, stack_policy
from ._resources import STACK, Resource

OWN_COMPONENTS = "mcsps:"
RULE = Rule(
    name="mcsps-secrets-not-in-outputs",
    description="No output of the stack or of a component of it is a key, a token or a kubeconfig, marked or not.",
    remedy="export what tells of it without being it, such as its name or its end; and make anew what was exported",
)


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Search the outputs of all that the program itself registers outputs for."""
    for resource in resources:
        if resource.type == STACK or resource.type.startswith(OWN_COMPONENTS):
            for found in _secret_material.find(resource.properties):
                yield resource, f"{'the stack' if resource.type == STACK else resource} has {found} among its outputs"


POLICY = stack_policy(RULE, check)
