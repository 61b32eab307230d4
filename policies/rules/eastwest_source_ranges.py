"""The east-west gateway is for the peers' pods, not for the world."""

import ipaddress
from collections.abc import Iterator

from pulumi_policy import EnforcementLevel

from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import UNKNOWN, look, show

OPEN = "openToTheWorld"
EASTWEST = "istio-eastwestgateway"
ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
RULE = Rule(
    name="mcsps-eastwest-source-ranges",
    description="The load balancer of the east-west gateway takes connections from its peers' networks alone.",
    remedy=(
        "name the networks of the peers in spec.loadBalancerSourceRanges, or set openToTheWorld to true in the policy "
        "config where a firewall before the load balancer does the same"
    ),
    # Whoever connects has to show a certificate of the mesh; and the program has no config for ranges yet.
    level=EnforcementLevel.ADVISORY,
    schema={
        OPEN: {"type": "boolean", "default": False, "description": "Whether every address may connect to port 15443."}
    },
)


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Ask for ranges, none of which is everything."""
    spec = look(resource.properties, "spec")
    if parameters[OPEN] or not _is_eastwest(resource) or look(spec, "type") != "LoadBalancer":
        return
    ranges = look(spec, "loadBalancerSourceRanges") or _annotated(resource)
    if ranges is UNKNOWN:
        return
    if not isinstance(ranges, list) or not ranges:
        yield f"{resource} is open to the world: it has {show(ranges)} for loadBalancerSourceRanges"
        return
    for text in ranges:
        if text is not UNKNOWN and (fault := _fault(text)):
            yield f"{resource} has {show(text)} in loadBalancerSourceRanges, which is {fault}"


def _is_eastwest(resource: Resource) -> bool:
    label = look(resource.properties, "metadata", "labels", "istio")
    by_label = isinstance(label, str) and label == EASTWEST.removeprefix("istio-")
    return resource.is_object("core/Service") and (resource.object_name == EASTWEST or by_label)


def _annotated(resource: Resource) -> object:
    text = look(resource.properties, "metadata", "annotations", ANNOTATION)
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _fault(text: object) -> str | None:
    try:
        network = ipaddress.ip_network(text) if isinstance(text, str) else None
    except ValueError:
        network = None
    if network is None:
        return "no range of addresses"
    return "the whole world" if network.prefixlen == 0 else None


POLICY = resource_policy(RULE, check)
