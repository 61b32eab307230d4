"""Routing is the same in every cluster, since it applies where requests start."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from policies.lib import routing
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Place, Unknown, show_place

RULE = Rule(
    name="mcsps-routing-equal",
    description="Every VirtualService and every DestinationRule is the same in all clusters.",
    remedy="create it in every cluster with the same spec, from the same values",
)

Key = tuple[str, str]
"""Namespace and name."""


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Compare each object with that of the first cluster that has it."""
    clusters = {found.cluster for found in resources if found.is_istio_object and found.cluster is not None}
    for is_of_kind in (routing.is_virtual_service, routing.is_destination_rule):
        yield from _compare([found for found in resources if is_of_kind(found)], clusters)


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
            place = difference(routing.spec(first), routing.spec(other), ("spec",))
            if place is not None:
                yield other, f"{other} differs from that of cluster {first.cluster} at {show_place(place)}"


def difference(one: object, other: object, place: Place = ()) -> Place | None:
    """The first place at which two values differ; an unknown value counts as equal."""
    match one, other:
        case _ if UNKNOWN in (one, other):
            return None
        case Mapping(), Mapping():
            keys = [*one, *(key for key in other if key not in one)]
            found = (difference(one.get(key), other.get(key), (*place, key)) for key in keys)
        case list(), list() if len(one) == len(other):
            found = (difference(*pair, (*place, index)) for index, pair in enumerate(zip(one, other, strict=True)))
        case _:
            return None if one == other else place
    return next((place for place in found if place is not None), None)


POLICY = stack_policy(RULE, check)
