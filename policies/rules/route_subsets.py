"""Every subset in a route is defined; a route to an undefined subset answers 503."""

from collections.abc import Iterator, Mapping, Sequence

from policies.lib import destination_rules, routing
from policies.lib.destination_rules import EVERYWHERE, Defined, Index
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.values import items, look, walk

MESH = "mesh"
"""The gateway that stands for all sidecars."""
RULE = Rule(
    name="mcsps-routing-subsets",
    description="Every subset in a route is defined by the DestinationRule that clients apply to its host.",
    why="A route to an undefined subset answers 503 for every request that it gets.",
    limits=(
        "It does not see DestinationRules outside the stack, `meshConfig.defaultDestinationRuleExportTo`, the "
        "workload selectors of rules, or where the pods of a gateway run. For a gateway it accepts a subset that "
        "is defined for one of the possible namespaces. It assumes that istio-system is the root namespace."
    ),
    remedy=(
        "add the subset to the DestinationRule of that host in that cluster, in the Service's namespace and exported "
        "to the route's clients, or use a subset that it defines"
    ),
)

Client = str | None
"""A namespace of proxies; None stands for all namespaces that nothing names."""


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Look up the subset of each destination, as the proxies of each namespace do that gets the route."""
    defined = [destination_rules.define(found) for found in resources if routing.is_destination_rule(found)]
    possible = [rule for rule in defined if not rule.is_certain]
    by_cluster: dict[str | None, list[Defined]] = {}
    for rule in defined:
        if rule.is_certain:
            by_cluster.setdefault(rule.cluster, []).append(rule)
    indexes = {cluster: Index(rules) for cluster, rules in by_cluster.items()}
    for route in filter(routing.is_virtual_service, resources):
        if route.cluster is None:
            continue
        index = indexes.get(route.cluster, Index([]))
        for host, subset in _destinations(route):
            if any(_may_apply(rule, route, host) and rule.may_define(subset) for rule in possible):
                continue
            missing = list(_missing(route, index, host, subset))
            # Where a gateway's pods run is not known, so one of the possible places is enough.
            if missing and (_is_for_sidecars(route) or len(missing) == len(_clients(route))):
                client, rules = missing[0]
                known = sorted({str(name) for rule in rules for name in rule.subsets})
                has = f"has only {', '.join(known)}" if known else "has none"
                place = "" if client == route.namespace else f" from {client or 'other namespaces'}"
                yield route, f"{route} sends requests{place} to subset {subset} of {host}, whose DestinationRule {has}"


def _may_apply(rule: Defined, route: Resource, host: str) -> bool:
    return rule.cluster in (None, route.cluster) and rule.applies_to(host)


def _missing(route: Resource, index: Index, host: str, subset: str) -> Iterator[tuple[Client, Sequence[Defined]]]:
    """The clients that find no such subset, with the rules that they find."""
    for client in _clients(route):
        found = index.find(host=host, client=client)
        if not any(rule.may_define(subset) for rule in found):
            yield client, found


def _clients(route: Resource) -> Sequence[Client]:
    """The namespaces whose proxies get a route, its own first."""
    exported = destination_rules.exported_to(route)
    own = [route.namespace] if isinstance(route.namespace, str) else []
    named = sorted(name for name in exported if isinstance(name, str) and name not in (EVERYWHERE, *own))
    is_for_own = not exported.isdisjoint({EVERYWHERE, *own})
    of_gateways = [] if _is_for_sidecars(route) else _gateway_namespaces(route)
    return [*(own if is_for_own else []), *([None] if EVERYWHERE in exported else []), *named, *of_gateways]


def _is_for_sidecars(route: Resource) -> bool:
    gateways = look(routing.spec(route), "gateways")
    return gateways is None or MESH in items(gateways)


def _gateway_namespaces(route: Resource) -> Sequence[str]:
    gateways = items(look(routing.spec(route), "gateways"))
    return [gateway.partition("/")[0] for gateway in gateways if isinstance(gateway, str) and "/" in gateway]


def _destinations(route: Resource) -> Iterator[tuple[str, str]]:
    """Host and subset of each destination, mirrors included."""
    for _, value in walk(routing.spec(route)):
        if isinstance(value, Mapping):
            host, subset = routing.host_of(value.get("host"), route), value.get("subset")
            if isinstance(host, str) and isinstance(subset, str):
                yield host, subset


POLICY = stack_policy(RULE, check)
