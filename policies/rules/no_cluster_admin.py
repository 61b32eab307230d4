"""Nobody is made an administrator of a whole cluster."""

from collections.abc import Iterator

from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import items, look

CLUSTER_ADMIN = "cluster-admin"
OF_RANCHER = {
    "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding": ("roleTemplateId", "cluster-owner"),
    "rancher2:index/globalRoleBinding:GlobalRoleBinding": ("globalRoleId", "admin"),
}
"""By type of binding: where it names the role, and which one is an administrator's."""
RULE = Rule(
    name="mcsps-access-no-cluster-admin",
    description="No binding makes anybody an administrator of a cluster.",
    remedy="bind a role of its own that has no more than what is needed",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Refuse the role by name, and any role that is the same by its rules."""
    if resource.is_object("rbac.authorization.k8s.io/ClusterRoleBinding"):
        if look(resource.properties, "roleRef", "name") == CLUSTER_ADMIN:
            yield f"{resource} binds {CLUSTER_ADMIN}"
    elif resource.is_object("rbac.authorization.k8s.io/ClusterRole"):
        rules = items(look(resource.properties, "rules"))
        if any(all("*" in items(look(rule, part)) for part in ("apiGroups", "resources", "verbs")) for rule in rules):
            yield f"{resource} allows everything, as {CLUSTER_ADMIN} does"
    elif resource.type in OF_RANCHER:
        key, role = OF_RANCHER[resource.type]
        if look(resource.properties, key) == role:
            yield f"{resource} binds Rancher's role {role}"


POLICY = resource_policy(RULE, check)
