"""
The account behind a remote secret can only read.

A remote secret holds the token of a service account of the source cluster, or of a Rancher user. The rule follows both
from the token to the roles.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from policies.lib import roles
from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.remote_secrets import is_remote_secret
from policies.lib.resources import Resource
from policies.lib.values import items, look

ACCOUNT = "kubernetes.io/service-account.name"
USER = "rancher2:index/user:User"
USER_TOKEN = "rancher2:index/customUserToken:CustomUserToken"  # noqa: S105 - a type
LOCAL_PRINCIPAL = "local://"
"""The prefix of a user's id in the principal of a user of Rancher's own."""
EVERYONE = ("system:authenticated", "system:serviceaccounts")
"""Groups of so many that a role for them is not meant for a peer."""
WRITERS = ("admin", "cluster-admin", "edit")
"""Builtin roles of Kubernetes that can write; they are not in the stack."""
READERS_OF_KUBERNETES = (
    "system:aggregate-to-view",
    "system:basic-user",
    "system:discovery",
    "system:monitoring",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
)
"""Builtin roles with the prefix `system:` that only read, or that every user has."""
WRITERS_OF_RANCHER = (*WRITERS, "cluster-member", "cluster-owner", "create-ns", "project-member", "project-owner")
"""Builtin templates of Rancher that can write; they are not in the stack either."""
WRITERS_OF_ALL_RANCHER = (*WRITERS, "restricted-admin", "user")
"""Builtin global roles of Rancher that can write."""
WRITING = ("-create", "-manage")
"""Suffixes of other builtin roles of Rancher that can write."""
RULE = Rule(
    name="mcsps-access-remote-reader",
    description="A service account or Rancher user whose token a peer holds can only read named resources.",
    why="Each peer holds this token. If it can write, an attacker in one cluster can also change its peers.",
    limits=(
        "It follows tokens of this mesh, and those on which a remote secret depends. It does not see roles and "
        "bindings outside the stack, except for the builtin ones by their names, nor the groups of a Rancher "
        "user. It judges roles for all users (`system:authenticated`, `system:serviceaccounts`) only for "
        "Kubernetes' own resources, without custom resources and reviews. With `rancher.peersUser: false` it "
        "cannot see the rights of the program's own user."
    ),
    remedy="bind a dedicated role with the verbs get, list and watch for named groups and resources",
)

Subject = tuple[str | None, str, str]
"""Cluster, kind and name of an identity that the API server derives from a token."""
Finding = tuple[Resource, str]


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[Finding]:
    """Follow each account and each user to its bindings, and each binding to its role."""
    given = {
        urn
        for resource in filter(is_remote_secret, resources)
        for urns in resource.dependencies.values()
        for urn in urns
    }
    tokens = [resource for resource in resources if resource.is_of_mesh or resource.urn in given]
    yield from _of_accounts(tokens, resources)
    yield from _of_users(tokens, resources)


def _of_accounts(tokens: Sequence[Resource], resources: Sequence[Resource]) -> Iterator[Finding]:
    readers = {subject for token in tokens for subject in _readers(token)}
    defined = {roles.key(role): role for role in filter(roles.is_role, resources)}
    for binding in filter(roles.is_binding, resources) if readers else ():
        bound = roles.bound(binding)
        of_readers = readers.intersection(_subjects(binding))
        if bound is None or not of_readers:
            continue
        role = defined.get(bound)
        if bound.kind == roles.CLUSTER_ROLE and _is_writer_of_kubernetes(bound.name, is_builtin=role is None):
            yield binding, _writes(binding, bound.name)
        elif role is not None:
            of_everyone = all(name in EVERYONE for _, _, name in of_readers)
            yield from _exceeds(role, roles.beyond_reading(role, of_everyone=of_everyone))


def _readers(resource: Resource) -> Iterator[Subject]:
    """All user and group identities of the token's holder."""
    name = look(resource.properties, "metadata", "annotations", ACCOUNT)
    cluster, namespace = resource.cluster, resource.namespace
    known = isinstance(name, str) and isinstance(namespace, str) and cluster is not None
    if resource.is_object("core/Secret") and known:
        yield cluster, "User", f"system:serviceaccount:{namespace}:{name}"
        for group in (*EVERYONE, f"system:serviceaccounts:{namespace}"):
            yield cluster, "Group", group


def _subjects(binding: Resource) -> Iterator[Subject]:
    for subject in items(look(binding.properties, "subjects")):
        kind, name, namespace = (look(subject, key) for key in ("kind", "name", "namespace"))
        if kind == "ServiceAccount" and isinstance(name, str) and isinstance(namespace, str):
            yield binding.cluster, "User", f"system:serviceaccount:{namespace}:{name}"
        elif kind in ("Group", "User") and isinstance(name, str):
            yield binding.cluster, str(kind), name


def _is_writer_of_kubernetes(name: str, *, is_builtin: bool) -> bool:
    return name in WRITERS or (is_builtin and name.startswith("system:") and name not in READERS_OF_KUBERNETES)


def _of_users(tokens: Sequence[Resource], resources: Sequence[Resource]) -> Iterator[Finding]:
    names = {_text(token, "username") for token in _of_type(tokens, USER_TOKEN)} - {None}
    users = {_text(user, "id") for user in _of_type(resources, USER) if _text(user, "username") in names} - {None}
    defined = {
        _text(role, "id"): role
        for type_ in (roles.ROLE_TEMPLATE, roles.GLOBAL_ROLE)
        for role in _of_type(resources, type_)
    }
    for type_, key, writers in (
        (roles.CLUSTER_ROLE_TEMPLATE_BINDING, "roleTemplateId", WRITERS_OF_RANCHER),
        (roles.PROJECT_ROLE_TEMPLATE_BINDING, "roleTemplateId", WRITERS_OF_RANCHER),
        (roles.GLOBAL_ROLE_BINDING, "globalRoleId", WRITERS_OF_ALL_RANCHER),
    ):
        for binding in _of_type(resources, type_):
            name = _text(binding, key)
            if users.isdisjoint(_bound_users(binding)) or name is None:
                continue
            if name in writers or name.endswith(WRITING):
                yield binding, _writes(binding, name)
            elif name in defined:
                yield from _judge_of_rancher(defined[name], defined, {name})


def _bound_users(binding: Resource) -> Iterator[str]:
    user, principal = _text(binding, "userId"), _text(binding, "userPrincipalId")
    if user is not None:
        yield user
    if principal is not None:
        yield principal.removeprefix(LOCAL_PRINCIPAL)


def _judge_of_rancher(role: Resource, defined: dict[str | None, Resource], seen: AbstractSet[str]) -> Iterator[Finding]:
    """Judge a role and those from which it inherits; Rancher refuses a circle, and the rule ends with it."""
    yield from _exceeds(role, roles.beyond_reading(role))
    for name in items(look(role.properties, roles.INHERITED[role.type])):
        if not isinstance(name, str) or name in seen:
            continue
        if name in WRITERS_OF_RANCHER or name.endswith(WRITING):
            yield role, f"{role} is the role of a peer's reader and inherits the role {name}, which can write"
        elif name in defined:
            yield from _judge_of_rancher(defined[name], defined, {*seen, name})


def _of_type(resources: Sequence[Resource], type_: str) -> Iterator[Resource]:
    return (resource for resource in resources if resource.type == type_)


def _text(resource: Resource, key: str) -> str | None:
    found = look(resource.properties, key)
    return found if isinstance(found, str) else None


def _writes(binding: Resource, name: str) -> str:
    return f"{binding} gives a peer's reader the role {name}, which can write"


def _exceeds(role: Resource, excesses: Iterator[str]) -> Iterator[Finding]:
    for excess in excesses:
        yield role, f"{role} is the role of a peer's reader and allows {excess}"


POLICY = stack_policy(RULE, check)
