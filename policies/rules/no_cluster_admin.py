"""Nobody is made an administrator of a whole cluster, nor of all that is in a namespace."""

from collections.abc import Iterator

from . import _roles
from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import items, look

OWNERS = ("cluster-owner", _roles.CLUSTER_ADMIN)
"""Templates that every Rancher has, and that allow everything in a cluster."""
BOUND_BY_RANCHER = {
    _roles.CLUSTER_ROLE_TEMPLATE_BINDING: ("roleTemplateId", OWNERS),
    "rancher2:index/globalRoleBinding:GlobalRoleBinding": ("globalRoleId", ("admin", "restricted-admin")),
}
"""By type of binding: where it names the role, and which ones are an administrator's."""
INHERITED = {_roles.ROLE_TEMPLATE: "roleTemplateIds", _roles.GLOBAL_ROLE: "inheritedClusterRoles"}
"""By type of role: where it names templates of which it takes all rules."""
RULE = Rule(
    name="mcsps-access-no-cluster-admin",
    description="No role and no binding gives anybody all rights in a cluster or in a namespace.",
    remedy="bind a role of its own that has no more than what is needed",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse the roles by name, and any role that is the same by its rules or by what it inherits."""
    if _roles.is_binding(resource):
        match _roles.bound(resource):
            case _roles.Key(kind=_roles.CLUSTER_ROLE, name=_roles.CLUSTER_ADMIN):
                yield f"{resource} binds {_roles.CLUSTER_ADMIN}"
    elif resource.type in BOUND_BY_RANCHER:
        place, administrators = BOUND_BY_RANCHER[resource.type]
        role = look(resource.properties, place)
        if role in administrators:
            yield f"{resource} binds Rancher's role {role}"
    elif (_roles.is_role(resource) or resource.type in INHERITED) and _roles.allows_everything(resource):
        yield f"{resource} allows everything, as {_roles.CLUSTER_ADMIN} does"
    if resource.type in INHERITED:
        inherited = items(look(resource.properties, INHERITED[resource.type]))
        yield from (f"{resource} inherits Rancher's role {role}" for role in OWNERS if role in inherited)


POLICY = resource_policy(RULE, check)
