"""Roles and role bindings of Kubernetes and of Rancher, whose rules have the same form."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from policies.lib.resources import Resource
from policies.lib.selectors import may_select, selects_all
from policies.lib.values import UNKNOWN, Unknown, items, look, show

GROUP = "rbac.authorization.k8s.io"
CLUSTER_ROLE = "ClusterRole"
ROLE = "Role"
CLUSTER_ADMIN = "cluster-admin"
ROLE_TEMPLATE = "rancher2:index/roleTemplate:RoleTemplate"
GLOBAL_ROLE = "rancher2:index/globalRole:GlobalRole"
CLUSTER_ROLE_TEMPLATE_BINDING = "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding"
PROJECT_ROLE_TEMPLATE_BINDING = "rancher2:index/projectRoleTemplateBinding:ProjectRoleTemplateBinding"
GLOBAL_ROLE_BINDING = "rancher2:index/globalRoleBinding:GlobalRoleBinding"
INHERITED = {ROLE_TEMPLATE: "roleTemplateIds", GLOBAL_ROLE: "inheritedClusterRoles"}
"""By type of Rancher's roles: the property that lists the templates from which a role inherits all rules."""
READ = ("get", "list", "watch")
VERBS = frozenset({*READ, "create", "delete", "deletecollection", "patch", "update"})
"""The verbs of the API for objects."""
ADMIN = "admin"
ADMINISTRATORS = frozenset({ADMIN, CLUSTER_ADMIN, "system:masters"})
AGGREGATE_TO_ADMIN = "rbac.authorization.k8s.io/aggregate-to-admin"
CONNECTIONS = ("attach", "exec", "portforward", "proxy")
"""Subresources by which a holder of `get` runs commands, or reaches whatever a pod, Service or kubelet serves."""
REVIEWS = ("authentication.k8s.io", "authorization.k8s.io")


@dataclass(frozen=True, kw_only=True)
class Power:
    """A right that gives every other right."""

    verb: str
    group: str
    resources: frozenset[str]


POWERS = (
    Power(verb="escalate", group=GROUP, resources=frozenset({"clusterroles", "roles"})),
    Power(verb="bind", group=GROUP, resources=frozenset({"clusterroles", "roles"})),
    Power(verb="impersonate", group="", resources=frozenset({"groups", "users"})),
)


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a role binding refers to."""

    cluster: str | None
    kind: str
    namespace: str | None
    """The role's namespace; None for a ClusterRole."""
    name: str


def is_role(resource: Resource) -> bool:
    """Whether it is a Role or a ClusterRole."""
    return resource.is_object(f"{GROUP}/{CLUSTER_ROLE}", f"{GROUP}/{ROLE}")


def is_binding(resource: Resource) -> bool:
    """Whether it is a RoleBinding or a ClusterRoleBinding."""
    return _is_cluster_wide(resource) or resource.is_object(f"{GROUP}/RoleBinding")


def key(role: Resource) -> Key | None:
    """The key of a role; None if a part of it is unknown."""
    is_everywhere = role.is_object(f"{GROUP}/{CLUSTER_ROLE}")
    return _key(role, CLUSTER_ROLE if is_everywhere else ROLE, role.object_name)


def bound(binding: Resource) -> Key | None:
    """The key of the role that a binding refers to; None if a part of it is unknown or missing."""
    reference = look(binding.properties, "roleRef")
    return _key(
        binding, CLUSTER_ROLE if _is_cluster_wide(binding) else look(reference, "kind"), look(reference, "name")
    )


def allows_everything(role: Resource) -> bool:
    """Whether the rules of the role together allow all verbs on all resources of all groups."""
    whole = [
        rule for rule in _rules(role) if all("*" in items(look(rule, part)) for part in ("apiGroups", "resources"))
    ]
    verbs = {verb for rule in whole if not items(look(rule, "resourceNames")) for verb in _texts(rule, "verbs")}
    return "*" in verbs or verbs >= VERBS


def takes_over(role: Resource) -> Iterator[str]:
    """Name what a role allows by which its holder can get every other right."""
    for rule, power in product(_rules(role), POWERS):
        groups, resources, verbs = (_texts(rule, part) for part in ("apiGroups", "resources", "verbs"))
        named = (
            power.verb in verbs or not power.resources.isdisjoint(resources) or (power.group and power.group in groups)
        )
        covered = (
            not verbs.isdisjoint({power.verb, "*"})
            and not groups.isdisjoint({power.group, "*"})
            and not resources.isdisjoint({*power.resources, "*"})
        )
        # A rule for objects of given names is a limit, unless the name is that of an administrator.
        objects = _texts(rule, "resourceNames")
        if named and covered and (not items(look(rule, "resourceNames")) or objects & ADMINISTRATORS):
            yield f"the verb {power.verb} for {', '.join(sorted(power.resources))}"
    for selector in aggregated(role):
        if selects_all(selector):
            yield "what every other role allows, by its aggregationRule"
        elif may_select(selector, {AGGREGATE_TO_ADMIN: "true"}) and not may_select(selector, {}):
            yield f"what {ADMIN} allows, by its aggregationRule"


def aggregated(role: Resource) -> Sequence[object]:
    """The selectors of the roles whose rules a controller adds to this ClusterRole."""
    return items(look(role.properties, "aggregationRule", "clusterRoleSelectors"))


def beyond_reading(role: Resource, *, of_everyone: bool = False) -> Iterator[str]:
    """
    Name what a role allows beyond reading named resources.

    Args:
        role: A role of Kubernetes or of Rancher.
        of_everyone: Whether all users of the cluster have the role. Rules for custom resources and for reviews are
            then left out: they are no peer's, and Kubernetes has such roles itself.
    """
    for rule in _rules(role):
        if of_everyone and not _is_of_kubernetes(rule):
            continue
        more = [verb for verb in items(look(rule, "verbs")) if verb is not UNKNOWN and verb not in READ]
        if more:
            yield f"the verbs {', '.join(map(show, more))}"
        for part in ("apiGroups", "resources"):
            if "*" in items(look(rule, part)):
                yield f"all {part}"
        opened = sorted(resource for resource in _texts(rule, "resources") if _opens_a_connection(resource))
        if opened:
            yield f"the resources {', '.join(opened)}, by which get opens a connection"
    if aggregated(role):
        yield "whatever other roles its aggregationRule selects"


def _opens_a_connection(resource: str) -> bool:
    whole, _, part = resource.partition("/")
    return part in CONNECTIONS or (part != "" and "*" in (whole, part))


def _is_of_kubernetes(rule: object) -> bool:
    groups = _texts(rule, "apiGroups")
    return any(("." not in group or group.endswith(".k8s.io")) and group not in REVIEWS for group in groups)


def _texts(rule: object, part: str) -> frozenset[str]:
    return frozenset(found for found in items(look(rule, part)) if isinstance(found, str))


def _rules(role: Resource) -> list[object]:
    # A RoleTemplate for an external role lists that role's rules as externalRules.
    return [rule for part in ("rules", "externalRules") for rule in items(look(role.properties, part))]


def _is_cluster_wide(binding: Resource) -> bool:
    return binding.is_object(f"{GROUP}/ClusterRoleBinding")


def _key(resource: Resource, kind: object, name: object) -> Key | None:
    namespace = None if kind == CLUSTER_ROLE else resource.namespace
    if not isinstance(kind, str) or not isinstance(name, str) or isinstance(namespace, Unknown):
        return None
    return Key(cluster=resource.cluster, kind=kind, namespace=namespace, name=name)
