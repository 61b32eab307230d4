"""A Rancher token is scoped to one cluster and expires."""

from collections.abc import Iterator

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, look, show, whole_number

TOKENS = ("rancher2:index/token:Token", "rancher2:index/customUserToken:CustomUserToken")
RULE = Rule(
    name="mcsps-access-rancher-token-bounds",
    description="Every Rancher token is scoped to one cluster and expires.",
    remedy="set cluster_id to the id of its cluster and ttl to a number of seconds above 0",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Require both a cluster and a ttl."""
    if resource.type not in TOKENS:
        return
    cluster, ttl = (look(resource.properties, key) for key in ("clusterId", "ttl"))
    if cluster is not UNKNOWN and not (isinstance(cluster, str) and cluster.strip()):
        yield f"{resource} has {show(cluster)} for clusterId, so it has all rights of its user in every cluster"
    if ttl is not UNKNOWN and (whole_number(ttl) or 0) <= 0:
        yield f"{resource} has {show(ttl)} for ttl, so it does not expire"


POLICY = resource_policy(RULE, check)
