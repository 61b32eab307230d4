"""What roles allow and who is given them: Kubernetes', and Rancher's, whose rules are written alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from ._resources import Resource
from ._values import UNKNOWN, Unknown, items, look, show

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
    """By what a binding finds a role."""

    cluster: str | None
    kind: str
    namespace: str | None
    """A ClusterRole has none."""
    name: str


def is_role(resource: Resource) -> bool:
    """Whether it is a role of Kubernetes, for a whole cluster or one namespace."""
    return resource.is_object(f"{GROUP}/{CLUSTER_ROLE}", f"{GROUP}/{ROLE}")


def is_binding(resource: Resource) -> bool:
    """Whether it binds such a role."""
    return _is_cluster_wide(resource) or resource.is_object(f"{GROUP}/RoleBinding")


def key(role: Resource) -> Key | None:
    """By what a binding finds this role; None where that is not known yet."""
    is_everywhere = role.is_object(f"{GROUP}/{CLUSTER_ROLE}")
    return _key(role, CLUSTER_ROLE if is_everywhere else ROLE, role.object_name)


def bound(binding: Resource) -> Key | None:
    """The role that is bound; None where it is not known yet, or is none."""
    reference = look(binding.properties, "roleRef")
    return _key(
        binding, CLUSTER_ROLE if _is_cluster_wide(binding) else look(reference, "kind"), look(reference, "name")
    )


def allows_everything(role: Resource) -> bool:
    """Whether one of its rules does."""
    parts = ("apiGroups", "resources", "verbs")
    return any(all("*" in items(look(rule, part)) for part in parts) for rule in _rules(role))


def beyond_reading(role: Resource) -> Iterator[str]:
    """Say what it allows that is more than to read named resources."""
    for rule in _rules(role):
        more = [verb for verb in items(look(rule, "verbs")) if verb is not UNKNOWN and verb not in READ]
        if more:
            yield f"the verbs {', '.join(map(show, more))}"
        for part in ("apiGroups", "resources"):
            if "*" in items(look(rule, part)):
                yield f"all {part}"


def _rules(role: Resource) -> list[object]:
    # A template of Rancher's for a role that others make says by the latter what that role allows.
    return [rule for part in ("rules", "externalRules") for rule in items(look(role.properties, part))]


def _is_cluster_wide(binding: Resource) -> bool:
    return binding.is_object(f"{GROUP}/ClusterRoleBinding")


def _key(resource: Resource, kind: object, name: object) -> Key | None:
    namespace = None if kind == CLUSTER_ROLE else resource.namespace
    if not isinstance(kind, str) or not isinstance(name, str) or isinstance(namespace, Unknown):
        return None
    return Key(cluster=resource.cluster, kind=kind, namespace=namespace, name=name)
