"""No role allows everything in a cluster or in a namespace."""

from collections.abc import Iterator

from policies.lib import roles
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import items, look

OWNERS = ("cluster-owner", roles.CLUSTER_ADMIN)
"""Builtin RoleTemplates of Rancher that allow everything in a cluster."""
BOUND_BY_RANCHER = {
    roles.CLUSTER_ROLE_TEMPLATE_BINDING: ("roleTemplateId", OWNERS),
    "rancher2:index/globalRoleBinding:GlobalRoleBinding": ("globalRoleId", ("admin", "restricted-admin")),
}
"""By type of binding: the property that names the role, and the administrators' roles."""
INHERITED = {roles.ROLE_TEMPLATE: "roleTemplateIds", roles.GLOBAL_ROLE: "inheritedClusterRoles"}
"""By type of role: the property that lists the templates from which it inherits all rules."""
RULE = Rule(
    name="mcsps-access-no-cluster-admin",
    description="No role and no binding grants all rights in a cluster or in a namespace.",
    remedy="bind a dedicated role that allows only what is needed",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse builtin administrator roles, and roles that are equivalent by their rules or by inheritance."""
    if roles.is_binding(resource):
        match roles.bound(resource):
            case roles.Key(kind=roles.CLUSTER_ROLE, name=roles.CLUSTER_ADMIN):
                yield f"{resource} binds {roles.CLUSTER_ADMIN}"
    elif resource.type in BOUND_BY_RANCHER:
        place, administrators = BOUND_BY_RANCHER[resource.type]
        role = look(resource.properties, place)
        if role in administrators:
            yield f"{resource} binds Rancher's role {role}"
    elif (roles.is_role(resource) or resource.type in INHERITED) and roles.allows_everything(resource):
        yield f"{resource} allows everything, as {roles.CLUSTER_ADMIN} does"
    if resource.type in INHERITED:
        inherited = items(look(resource.properties, INHERITED[resource.type]))
        yield from (f"{resource} inherits Rancher's role {role}" for role in OWNERS if role in inherited)


POLICY = resource_policy(RULE, check)
