"""
The account behind a remote secret can only read.

A remote secret holds the token of a service account of the source cluster, or of a Rancher user. The rule follows both
from the token to the roles.
"""

from collections.abc import Iterator, Sequence

from policies.lib import roles
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.values import items, look

ACCOUNT = "kubernetes.io/service-account.name"
USER = "rancher2:index/user:User"
USER_TOKEN = "rancher2:index/customUserToken:CustomUserToken"  # noqa: S105 - a type
WRITERS = ("admin", "cluster-admin", "edit")
"""Builtin roles of Kubernetes that can write; they are not in the stack."""
WRITERS_OF_RANCHER = (*WRITERS, "cluster-member", "cluster-owner")
"""Builtin roles of Rancher that can write; they are not in the stack either."""
RULE = Rule(
    name="mcsps-access-remote-reader",
    description="A service account or Rancher user whose token a peer holds can only read named resources.",
    remedy="bind a dedicated role with the verbs get, list and watch for named groups and resources",
)

Subject = tuple[str | None, str, str]
"""Cluster, kind and name of an identity that the API server derives from a token."""
Finding = tuple[Resource, str]


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[Finding]:
    """Follow each account and each user to its bindings, and each binding to its role."""
    yield from _of_accounts(resources)
    yield from _of_users(resources)


def _of_accounts(resources: Sequence[Resource]) -> Iterator[Finding]:
    readers = {subject for resource in resources for subject in _readers(resource)}
    defined = {roles.key(role): role for role in filter(roles.is_role, resources)}
    for binding in filter(roles.is_binding, resources):
        bound = roles.bound(binding)
        if bound and not readers.isdisjoint(_subjects(binding)):
            writers = WRITERS if bound.kind == roles.CLUSTER_ROLE else ()
            yield from _judge(binding, bound.name, writers, defined.get(bound))


def _readers(resource: Resource) -> Iterator[Subject]:
    """All user and group identities of the token's holder."""
    name = look(resource.properties, "metadata", "annotations", ACCOUNT)
    cluster, namespace = resource.cluster, resource.namespace
    known = isinstance(name, str) and isinstance(namespace, str) and cluster is not None
    if resource.is_object("core/Secret") and known:
        yield cluster, "User", f"system:serviceaccount:{namespace}:{name}"
        for group in ("authenticated", "serviceaccounts", f"serviceaccounts:{namespace}"):
            yield cluster, "Group", f"system:{group}"


def _subjects(binding: Resource) -> Iterator[Subject]:
    for subject in items(look(binding.properties, "subjects")):
        kind, name, namespace = (look(subject, key) for key in ("kind", "name", "namespace"))
        if kind == "ServiceAccount" and isinstance(name, str) and isinstance(namespace, str):
            yield binding.cluster, "User", f"system:serviceaccount:{namespace}:{name}"
        elif kind in ("Group", "User") and isinstance(name, str):
            yield binding.cluster, str(kind), name


def _of_users(resources: Sequence[Resource]) -> Iterator[Finding]:
    names = {_text(token, "username") for token in _of_type(resources, USER_TOKEN)} - {None}
    users = {_text(user, "id") for user in _of_type(resources, USER) if _text(user, "username") in names} - {None}
    templates = {_text(template, "id"): template for template in _of_type(resources, roles.ROLE_TEMPLATE)}
    for binding in _of_type(resources, roles.CLUSTER_ROLE_TEMPLATE_BINDING):
        name = _text(binding, "roleTemplateId")
        if _text(binding, "userId") in users and name is not None:
            yield from _judge(binding, name, WRITERS_OF_RANCHER, templates.get(name))


def _of_type(resources: Sequence[Resource], type_: str) -> Iterator[Resource]:
    return (resource for resource in resources if resource.type == type_)


def _text(resource: Resource, key: str) -> str | None:
    found = look(resource.properties, key)
    return found if isinstance(found, str) else None


def _judge(binding: Resource, name: str, writers: Sequence[str], role: Resource | None) -> Iterator[Finding]:
    if name in writers:
        yield binding, f"{binding} gives a peer's reader the role {name}, which can write"
    elif role is not None:
        for excess in roles.beyond_reading(role):
            yield role, f"{role} is the role of a peer's reader and allows {excess}"


POLICY = stack_policy(RULE, check)
