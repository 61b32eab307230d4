"""A Rancher token is scoped to one cluster and expires."""

from collections.abc import Iterator

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, look, show, whole_number

TOKENS = ("rancher2:index/token:Token", "rancher2:index/customUserToken:CustomUserToken")
MAXIMUM = "maxTtlSeconds"
RULE = Rule(
    name="mcsps-access-rancher-token-bounds",
    description="Every Rancher token is scoped to one cluster and expires within a bounded time.",
    why=(
        "A token without a cluster has all rights of its user in every cluster. A token that does not expire "
        "stays valid after it leaks."
    ),
    limits="It does not see the limits of Rancher's settings, nor tokens that are created outside the stack.",
    remedy=(
        "set cluster_id to the id of its cluster and ttl to a number of seconds above 0, or raise maxTtlSeconds in the "
        "policy config"
    ),
    schema={
        MAXIMUM: {
            "type": "integer",
            "minimum": 1,
            "default": 31_536_000,
            "description": "The longest lifetime allowed, in seconds: a year by default.",
        }
    },
)


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Require both a cluster and a ttl."""
    if resource.type not in TOKENS:
        return
    cluster, ttl = (look(resource.properties, key) for key in ("clusterId", "ttl"))
    if cluster is not UNKNOWN and not (isinstance(cluster, str) and cluster.strip()):
        yield f"{resource} has {show(cluster)} for clusterId, so it has all rights of its user in every cluster"
    seconds, maximum = whole_number(ttl) or 0, int(parameters[MAXIMUM])
    if ttl is not UNKNOWN and seconds <= 0:
        yield f"{resource} has {show(ttl)} for ttl, so it does not expire"
    elif seconds > maximum:
        yield f"{resource} has {show(ttl)} for ttl; allowed is a number of seconds from 1 to {maximum}"


POLICY = resource_policy(RULE, check)
