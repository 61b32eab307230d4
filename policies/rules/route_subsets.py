"""Every subset in a route is defined; a route to an undefined subset answers 503."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from policies.lib import routing
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Unknown, items, look, walk

RULE = Rule(
    name="mcsps-routing-subsets",
    description="Every subset in a route is defined by the DestinationRule of its host in the same cluster.",
    remedy="add the subset to the DestinationRule of that host in that cluster, or use a subset that it defines",
)


@dataclass(frozen=True, kw_only=True)
class Defined:
    """The subsets that one DestinationRule defines."""

    cluster: str | None
    host: str | Unknown
    """The host; it may begin with a wildcard."""
    subsets: frozenset[object]

    def may_be_for(self, host: str) -> bool:
        """Whether it applies to a host, or could, as far as is known."""
        return isinstance(self.host, Unknown) or fnmatchcase(host, self.host)

    def may_define(self, subset: str) -> bool:
        """Whether it defines a subset, or could, as far as is known."""
        return subset in self.subsets or UNKNOWN in self.subsets


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Look up the subset of each destination."""
    defined = [_defined(found) for found in resources if routing.is_destination_rule(found)]
    for route in filter(routing.is_virtual_service, resources):
        if route.cluster is None:
            continue
        for host, subset in _destinations(route):
            rules = [rule for rule in defined if rule.cluster in (None, route.cluster) and rule.may_be_for(host)]
            if not any(rule.may_define(subset) for rule in rules):
                known = sorted({str(name) for rule in rules for name in rule.subsets})
                has = f"has only {', '.join(known)}" if known else "has none"
                yield route, f"{route} sends requests to subset {subset} of {host}, whose DestinationRule {has}"


def _defined(rule: Resource) -> Defined:
    spec = routing.spec(rule)
    host, subsets = look(spec, "host"), look(spec, "subsets")
    names = [UNKNOWN] if subsets is UNKNOWN else [look(subset, "name") for subset in items(subsets)]
    return Defined(
        cluster=rule.cluster,
        host=UNKNOWN if host is UNKNOWN else _host(host, rule) or "",
        subsets=frozenset(name for name in names if name is UNKNOWN or isinstance(name, str)),
    )


def _destinations(route: Resource) -> Iterator[tuple[str, str]]:
    """Host and subset of each destination, mirrors included."""
    for _, value in walk(routing.spec(route)):
        if isinstance(value, Mapping):
            host, subset = _host(value.get("host"), route), value.get("subset")
            if isinstance(host, str) and isinstance(subset, str):
                yield host, subset


def _host(host: object, of: Resource) -> str | Unknown | None:
    if not isinstance(host, str):
        return None
    namespace = of.namespace
    return UNKNOWN if isinstance(namespace, Unknown) else routing.full_host(host, namespace)


POLICY = stack_policy(RULE, check)
