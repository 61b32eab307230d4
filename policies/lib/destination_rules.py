"""DestinationRules as a client's proxy finds them: by namespace, by what is exported, and by the most specific host."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.lib import routing
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Unknown, items, look

ROOT_NAMESPACE = "istio-system"
"""The namespace whose rules apply where no nearer one does."""
EVERYWHERE = "*"
WILDCARD = "*"
"""The start of a host that stands for all hosts with the same end."""
OWN_NAMESPACE = "."


@dataclass(frozen=True, kw_only=True)
class Defined:
    """The subsets that one DestinationRule defines, and where it applies."""

    cluster: str | None
    namespace: str | Unknown
    host: str | Unknown
    """The host; it may begin with a wildcard."""
    exported_to: frozenset[object]
    """Names of namespaces, or `*`."""
    subsets: frozenset[object]

    @property
    def is_certain(self) -> bool:
        """Whether it is known where the rule applies."""
        parts = (self.namespace, self.host, *self.exported_to)
        return self.cluster is not None and not any(isinstance(part, Unknown) for part in parts)

    def may_define(self, subset: str) -> bool:
        """Whether it defines a subset, or could, as far as is known."""
        return subset in self.subsets or UNKNOWN in self.subsets

    def applies_to(self, host: str) -> bool:
        """Whether it applies to a host, or could, as far as is known."""
        if isinstance(self.host, Unknown):
            return True
        return host.endswith(self.host[1:]) if self.host.startswith(WILDCARD) else host == self.host

    def is_seen_from(self, client: str | None) -> bool:
        """Whether proxies of a namespace see it; None stands for a namespace that nothing names."""
        return not self.exported_to.isdisjoint({EVERYWHERE, client, UNKNOWN})


def define(rule: Resource) -> Defined:
    """The subsets of a DestinationRule."""
    spec = routing.spec(rule)
    subsets = look(spec, "subsets")
    names = [UNKNOWN] if subsets is UNKNOWN else [look(subset, "name") for subset in items(subsets)]
    return Defined(
        cluster=rule.cluster,
        namespace=rule.namespace,
        host=routing.host_of(look(spec, "host"), rule) or "",
        exported_to=exported_to(rule),
        subsets=frozenset(name for name in names if name is UNKNOWN or isinstance(name, str)),
    )


def exported_to(resource: Resource) -> frozenset[object]:
    """The namespaces whose proxies see a routing object; `*` for all of them, which is the default."""
    given = look(routing.spec(resource), "exportTo")
    names = [UNKNOWN] if given is UNKNOWN else items(given)
    return frozenset(resource.namespace if name == OWN_NAMESPACE else name for name in names if _is_name(name)) or (
        frozenset({EVERYWHERE})
    )


def _is_name(value: object) -> bool:
    return value is UNKNOWN or isinstance(value, str)


class Index:
    """The rules of one cluster whose places are known, by host: a stack can have as many as it has routes."""

    def __init__(self, rules: Sequence[Defined]) -> None:
        self._by_host: dict[str | Unknown, list[Defined]] = {}
        self._with_wildcard: list[Defined] = []
        for rule in rules:
            is_wildcard = str(rule.host).startswith(WILDCARD)
            (self._with_wildcard if is_wildcard else self._by_host.setdefault(rule.host, [])).append(rule)

    def find(self, *, host: str, client: str | None) -> Sequence[Defined]:
        """
        The rules that a proxy applies to a host.

        Args:
            host: The full host name.
            client: The proxy's namespace; None for a namespace that nothing names.
        """
        of_host = (*self._by_host.get(host, ()), *(rule for rule in self._with_wildcard if rule.applies_to(host)))
        fitting = [rule for rule in of_host if rule.is_seen_from(client)]
        owner = service_namespace(host)
        places: list[set[object]] = [
            {client},
            {owner} if owner else {rule.namespace for rule in fitting},
            {ROOT_NAMESPACE},
        ]
        levels = ([rule for rule in fitting if rule.namespace in place] for place in places)
        return next((list(_most_specific(level)) for level in levels if level), [])


def _most_specific(rules: Sequence[Defined]) -> Iterator[Defined]:
    """The rules of the exact host, or of the longest one with a wildcard; Istio merges rules of the same host."""
    longest = max(map(_specificity, rules))
    return (rule for rule in rules if _specificity(rule) == longest)


def _specificity(rule: Defined) -> tuple[bool, int]:
    host = str(rule.host)
    return not host.startswith(WILDCARD), len(host)


def service_namespace(host: str) -> str | None:
    """The namespace of a Service's host name; None for a host of another form."""
    parts = host.split(".")
    return parts[1] if parts[2:3] == ["svc"] else None
