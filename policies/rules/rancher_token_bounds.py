"""A token of Rancher's is for one cluster, and ends."""

from collections.abc import Iterator

from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import UNKNOWN, look, show, whole_number

TOKENS = ("rancher2:index/token:Token", "rancher2:index/customUserToken:CustomUserToken")
RULE = Rule(
    name="mcsps-access-rancher-token-bounds",
    description="Every Rancher token is scoped to one cluster and has an end.",
    remedy="give it the cluster_id of its cluster and a ttl in seconds, above 0",
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Ask for both."""
    if resource.type not in TOKENS:
        return
    cluster, ttl = (look(resource.properties, key) for key in ("clusterId", "ttl"))
    if cluster is not UNKNOWN and not (isinstance(cluster, str) and cluster.strip()):
        yield f"{resource} has {show(cluster)} for clusterId, so it may do in every cluster what its user may"
    if ttl is not UNKNOWN and (whole_number(ttl) or 0) <= 0:
        yield f"{resource} has {show(ttl)} for ttl, so it does not end by itself"


POLICY = resource_policy(RULE, check)
