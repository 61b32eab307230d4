"""
Who reads a cluster from outside may read and no more.

A remote secret holds the token of a service account of the cluster that is read, so accounts with such a token are
followed to their roles.
"""

from collections.abc import Iterator, Sequence

from ._policy import Parameters, Rule, stack_policy
from ._resources import Resource
from ._values import UNKNOWN, items, look, show

ACCOUNT = "kubernetes.io/service-account.name"
READ = ("get", "list", "watch")
WRITERS = {"admin", "cluster-admin", "edit"}
"""Roles that every cluster has, and that the stack therefore does not show."""
RULE = Rule(
    name="mcsps-access-remote-reader",
    description="A service account with a token for a remote secret may read named resources and no more.",
    remedy="bind a ClusterRole of its own with the verbs get, list and watch, for named groups and resources",
)

Account = tuple[str, object, object]
"""Cluster, namespace and name."""


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Follow each account to its bindings, and each binding to its role."""
    readers = {account for resource in resources for account in _token_of(resource)}
    roles = {
        (resource.cluster, resource.object_name): resource
        for resource in resources
        if resource.is_object("rbac.authorization.k8s.io/ClusterRole")
    }
    for binding in resources:
        if not binding.is_object("rbac.authorization.k8s.io/ClusterRoleBinding"):
            continue
        name = look(binding.properties, "roleRef", "name")
        if not readers & set(_subjects(binding)) or not isinstance(name, str):
            continue
        if name in WRITERS:
            yield binding, f"{binding} lets a reader from outside do what the role {name} allows"
        elif role := roles.get((binding.cluster, name)):
            for excess in _excess(role):
                yield role, f"{role} is a reader's from outside and allows {excess}"


def _token_of(resource: Resource) -> Iterator[Account]:
    if resource.is_object("core/Secret") and resource.cluster is not None:
        annotations = look(resource.properties, "metadata", "annotations")
        name = look(annotations, ACCOUNT)
        if isinstance(name, str):
            yield resource.cluster, resource.namespace, name


def _subjects(binding: Resource) -> Iterator[Account]:
    for subject in items(look(binding.properties, "subjects")):
        name, namespace = look(subject, "name"), look(subject, "namespace")
        if look(subject, "kind") == "ServiceAccount" and isinstance(name, str) and isinstance(namespace, str):
            yield str(binding.cluster), namespace, name


def _excess(role: Resource) -> Iterator[str]:
    for rule in items(look(role.properties, "rules")):
        more = [verb for verb in items(look(rule, "verbs")) if verb is not UNKNOWN and verb not in READ]
        if more:
            yield f"the verbs {', '.join(map(show, more))}"
        for part in ("apiGroups", "resources"):
            if "*" in items(look(rule, part)):
                yield f"all {part}"


POLICY = stack_policy(RULE, check)
