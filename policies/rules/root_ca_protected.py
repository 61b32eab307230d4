"""The root CA is protected against deletion."""

from collections.abc import Iterator, Sequence

from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.root_ca import is_root_ca

KEY = "privateKeyPem"
RULE = Rule(
    name="mcsps-root-ca-protected",
    description="The root CA of the mesh, its certificate and its key, is protected against deletion.",
    why=(
        "Every certificate of the mesh depends on the root. Without it, no cluster trusts another until all "
        "of them have a new one."
    ),
    limits=(
        "It looks at the root that MeshTrust creates, and at the key on which it depends. It does not see a "
        "root that the config provides, which is not in the stack."
    ),
    remedy="set mcsps:trust.protectRoot to true; a throw-away lab can disable this policy in its policy config",
)


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Require the option `protect` of each root and of the resource that its key comes from."""
    by_urn = {resource.urn: resource for resource in resources}
    for root in filter(is_root_ca, resources):
        if not root.protect:
            yield root, f"the root CA {root.name} is not protected, and every certificate of the mesh depends on it"
        for urn in sorted(root.dependencies.get(KEY, ())):
            key = by_urn[urn]
            if not key.protect:
                yield key, f"{key} is the key of the root CA {root.name} and is not protected; a new key is a new root"


POLICY = stack_policy(RULE, check)
