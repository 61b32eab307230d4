"""What a routing object means: two spellings of the same routing become equal data."""

import json
from collections.abc import Mapping, Sequence

from policies.lib import routing
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Place, look, walk

ORDERLESS = ("exportTo", "gateways", "hosts", "match", "route", "subsets")
"""Lists whose order has no effect: Istio takes the first of the entries of `http`, but any of these."""
DEFAULTS = {"exportTo": ["*"], "gateways": ["mesh"]}
"""What Istio takes where a spec has nothing."""


def meaning(resource: Resource) -> object:
    """The spec of a routing object with defaults, full host names, and sorted lists where order has no effect."""
    spec = routing.spec(resource)
    return _meaning({**DEFAULTS, **_given(spec)} if isinstance(spec, Mapping) else spec, "", resource)


def difference(one: object, other: object, place: Place = ()) -> Place | None:
    """The first place at which two meanings differ; an unknown value counts as equal."""
    match one, other:
        case _ if UNKNOWN in (one, other):
            return None
        case Mapping(), Mapping():
            keys = [*one, *(key for key in other if key not in one)]
            found = (difference(one.get(key), other.get(key), (*place, key)) for key in keys)
        case list(), list() if place[-1:] and place[-1] in ORDERLESS and any(map(_has_unknown, (one, other))):
            # The unknown part may be that of any item.
            return None
        case list(), list() if len(one) == len(other):
            found = (difference(*pair, (*place, index)) for index, pair in enumerate(zip(one, other, strict=True)))
        case _:
            return None if one == other else place
    return next((place for place in found if place is not None), None)


def _given(value: Mapping[str, object]) -> Mapping[str, object]:
    return {key: found for key, found in value.items() if found is not None and found != []}


def _meaning(value: object, key: str, of: Resource) -> object:
    match value:
        case Mapping():
            return {name: _meaning(found, name, of) for name, found in _given(value).items()}
        case list():
            found = [_meaning(item, key, of) for item in value]
            if key not in ORDERLESS or _has_unknown(found):
                return found
            return sorted(_effective(found) if key == "route" else found, key=_sort_key)
        case str() if key in ("host", "hosts"):
            return routing.host_of(value, of)
        case _:
            return value


def _effective(destinations: Sequence[object]) -> Sequence[object]:
    """The destinations that get requests; one that gets all of them needs no weight."""
    weighted = [found for found in destinations if look(found, "weight") not in (None, 0)] or destinations
    if len(weighted) == 1 and look(weighted[0], "weight") == routing.ALL:
        return [
            {name: part for name, part in found.items() if name != "weight"}
            for found in weighted
            if isinstance(found, Mapping)
        ]
    return weighted


def _has_unknown(value: object) -> bool:
    return any(found is UNKNOWN for _, found in walk(value))


def _sort_key(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
