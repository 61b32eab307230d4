"""A route to a subset that no rule defines answers 503."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from . import _routing
from ._policy import Parameters, Rule, stack_policy
from ._resources import Resource
from ._values import UNKNOWN, Unknown, items, look, walk

RULE = Rule(
    name="mcsps-routing-subsets",
    description="Every subset that a route names is one of the DestinationRule of its host, in the same cluster.",
    remedy="add the subset to the DestinationRule of that host in that cluster, or name one that it has",
)


@dataclass(frozen=True, kw_only=True)
class Defined:
    """What one DestinationRule defines."""

    cluster: str | None
    host: str | Unknown
    """May begin with a wildcard."""
    subsets: frozenset[object]

    def may_be_for(self, host: str) -> bool:
        """Whether it is for a host, for all that is known."""
        return isinstance(self.host, Unknown) or fnmatchcase(host, self.host)

    def may_define(self, subset: str) -> bool:
        """Whether it defines a subset, for all that is known."""
        return subset in self.subsets or UNKNOWN in self.subsets


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Look up each destination with a subset."""
    defined = [_defined(found) for found in resources if _routing.is_destination_rule(found)]
    for route in filter(_routing.is_virtual_service, resources):
        if route.cluster is None:
            continue
        for host, subset in _destinations(route):
            rules = [rule for rule in defined if rule.cluster in (None, route.cluster) and rule.may_be_for(host)]
            if not any(rule.may_define(subset) for rule in rules):
                known = sorted({str(name) for rule in rules for name in rule.subsets})
                has = f"has {', '.join(known)} alone" if known else "has none"
                yield route, f"{route} sends requests to subset {subset} of {host}, whose DestinationRule {has}"


def _defined(rule: Resource) -> Defined:
    spec = _routing.spec(rule)
    host, subsets = look(spec, "host"), look(spec, "subsets")
    names = [UNKNOWN] if subsets is UNKNOWN else [look(subset, "name") for subset in items(subsets)]
    return Defined(
        cluster=rule.cluster,
        host=UNKNOWN if host is UNKNOWN else _host(host, rule) or "",
        subsets=frozenset(name for name in names if name is UNKNOWN or isinstance(name, str)),
    )


def _destinations(route: Resource) -> Iterator[tuple[str, str]]:
    """Host and subset of each destination, mirrors included."""
    for _, value in walk(_routing.spec(route)):
        if isinstance(value, Mapping):
            host, subset = _host(value.get("host"), route), value.get("subset")
            if isinstance(host, str) and isinstance(subset, str):
                yield host, subset


def _host(host: object, of: Resource) -> str | Unknown | None:
    if not isinstance(host, str):
        return None
    namespace = of.namespace
    return UNKNOWN if isinstance(namespace, Unknown) else _routing.full_host(host, namespace)


POLICY = stack_policy(RULE, check)
