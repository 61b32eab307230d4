"""No role allows everything in a cluster or in a namespace."""

from collections.abc import Iterator

from policies.lib import roles
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import items, look

OWNERS = ("cluster-owner", roles.CLUSTER_ADMIN, "project-owner", roles.ADMIN)
"""Builtin RoleTemplates of Rancher that allow everything in a cluster or in a project."""
BOUND_BY_RANCHER = {
    roles.CLUSTER_ROLE_TEMPLATE_BINDING: ("roleTemplateId", OWNERS),
    roles.PROJECT_ROLE_TEMPLATE_BINDING: ("roleTemplateId", OWNERS),
    roles.GLOBAL_ROLE_BINDING: ("globalRoleId", ("admin", "restricted-admin")),
}
"""By type of binding: the property that names the role, and the administrators' roles."""
RULE = Rule(
    name="mcsps-access-no-cluster-admin",
    description="No role and no binding grants all rights in a cluster or in a namespace.",
    why="With a role that allows everything, one leaked token compromises a cluster and every cluster that trusts it.",
    limits=(
        "It judges each role by itself: it does not see the rules that a controller aggregates, or two roles that "
        "together allow everything. It does not treat all verbs for all resources of the core group as "
        "impersonation. It does not enumerate groups: a role that names every group one by one passes. It "
        "recognizes Rancher's templates outside the stack by their builtin names."
    ),
    remedy="bind a dedicated role that allows only what is needed",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse builtin administrator roles, and roles that are equivalent by their rules or by inheritance."""
    if roles.is_binding(resource):
        match roles.bound(resource):
            case roles.Key(kind=roles.CLUSTER_ROLE, name=roles.CLUSTER_ADMIN | roles.ADMIN as name):
                yield f"{resource} binds {name}"
    elif resource.type in BOUND_BY_RANCHER:
        place, administrators = BOUND_BY_RANCHER[resource.type]
        role = look(resource.properties, place)
        if role in administrators:
            yield f"{resource} binds Rancher's role {role}"
    elif roles.is_role(resource) or resource.type in roles.INHERITED:
        if roles.allows_everything(resource):
            yield f"{resource} allows everything, as {roles.CLUSTER_ADMIN} does"
        else:
            yield from (f"{resource} allows {power}" for power in dict.fromkeys(roles.takes_over(resource)))
    if resource.type in roles.INHERITED:
        inherited = items(look(resource.properties, roles.INHERITED[resource.type]))
        yield from (f"{resource} inherits Rancher's role {role}" for role in OWNERS if role in inherited)


POLICY = resource_policy(RULE, check)
