"""Roles and role bindings of Kubernetes and of Rancher, whose rules have the same form."""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, Unknown, items, look, show

GROUP = "rbac.authorization.k8s.io"
CLUSTER_ROLE = "ClusterRole"
ROLE = "Role"
CLUSTER_ADMIN = "cluster-admin"
ROLE_TEMPLATE = "rancher2:index/roleTemplate:RoleTemplate"
GLOBAL_ROLE = "rancher2:index/globalRole:GlobalRole"
CLUSTER_ROLE_TEMPLATE_BINDING = "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding"
READ = ("get", "list", "watch")


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
    """Whether one rule of the role allows all verbs on all resources of all groups."""
    parts = ("apiGroups", "resources", "verbs")
    return any(all("*" in items(look(rule, part)) for part in parts) for rule in _rules(role))


def beyond_reading(role: Resource) -> Iterator[str]:
    """Name what a role allows beyond reading named resources."""
    for rule in _rules(role):
        more = [verb for verb in items(look(rule, "verbs")) if verb is not UNKNOWN and verb not in READ]
        if more:
            yield f"the verbs {', '.join(map(show, more))}"
        for part in ("apiGroups", "resources"):
            if "*" in items(look(rule, part)):
                yield f"all {part}"


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
