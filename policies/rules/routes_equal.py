"""Routing is the same in every cluster, since it applies where requests start."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from policies.lib import route_meaning, routing
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.values import Unknown, show_place

NAMESPACES = "namespaces"
RULE = Rule(
    name="mcsps-routing-equal",
    description="Every VirtualService and every DestinationRule of this mesh means the same in all clusters.",
    why=(
        "A route applies where requests start. If it differs, a version gets requests in one cluster that it "
        "does not get in another."
    ),
    limits=(
        "It compares this mesh's routes, and those of the namespaces in the parameter. It does not see objects "
        "outside the stack, and treats an unknown value as equal."
    ),
    remedy="create it in every cluster with the same spec, from the same values",
    schema={
        NAMESPACES: {
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Namespaces of other teams whose routing must be the same as well.",
        }
    },
)

Key = tuple[str, str]
"""Namespace and name."""


def check(resources: Sequence[Resource], parameters: Parameters) -> Iterator[tuple[Resource, str]]:
    """Compare each object with that of the first cluster that has it; other teams may route as they like."""
    judged = [
        found
        for found in resources
        if found.is_istio_object and (found.is_of_mesh or found.namespace in parameters[NAMESPACES])
    ]
    clusters = {found.cluster for found in judged if found.cluster is not None}
    for is_of_kind in (routing.is_virtual_service, routing.is_destination_rule):
        yield from _compare([found for found in judged if is_of_kind(found)], clusters)


def _compare(of_a_kind: Sequence[Resource], clusters: AbstractSet[str]) -> Iterator[tuple[Resource, str]]:
    by_key: dict[Key, dict[str, Resource]] = {}
    for found in of_a_kind:
        namespace, name = found.namespace, found.object_name
        # An object with an unknown cluster or name may be the one that is missing.
        if found.cluster is None:
            clusters = set()
        elif isinstance(namespace, Unknown) or isinstance(name, Unknown):
            clusters = clusters - {found.cluster}
        else:
            by_key.setdefault((namespace, name), {})[found.cluster] = found
    for by_cluster in (by_key[key] for key in sorted(by_key)):
        first, *others = (by_cluster[cluster] for cluster in sorted(by_cluster))
        for missing in sorted(clusters - by_cluster.keys()):
            yield first, f"{first} is missing in cluster {missing}"
        for other in others:
            one, another = route_meaning.meaning(first), route_meaning.meaning(other)
            place = route_meaning.difference(one, another, ("spec",))
            if place is not None:
                yield other, f"{other} differs from that of cluster {first.cluster} at {show_place(place)}"


POLICY = stack_policy(RULE, check)
