"""The east-west gateway is for the peers' pods, not for the world."""

import ipaddress
from collections.abc import Iterator, Sequence

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

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Ask for ranges that are not everything."""
    spec = look(resource.properties, "spec")
    if parameters[OPEN] or not _is_eastwest(resource) or look(spec, "type") != "LoadBalancer":
        return
    ranges = look(spec, "loadBalancerSourceRanges") or _annotated(resource)
    if ranges is UNKNOWN:
        return
    if not isinstance(ranges, list) or not ranges:
        yield f"{resource} is open to the world: it has {show(ranges)} for loadBalancerSourceRanges"
        return
    networks = []
    for text in (known for known in ranges if known is not UNKNOWN):
        if network := _network(text):
            networks.append(network)
        else:
            yield f"{resource} has {show(text)} in loadBalancerSourceRanges, which is no range of addresses"
    if _cover_everything(networks):
        yield f"{resource} is open to the world: its loadBalancerSourceRanges leave no address out"


def _is_eastwest(resource: Resource) -> bool:
    label = look(resource.properties, "metadata", "labels", "istio")
    selector = look(resource.properties, "spec", "selector", "istio")
    is_known = resource.object_name == EASTWEST or EASTWEST.removeprefix("istio-") in (label, selector)
    return resource.is_object("core/Service") and is_known


def _annotated(resource: Resource) -> object:
    text = look(resource.properties, "metadata", "annotations", ANNOTATION)
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _network(text: object) -> Network | None:
    """A range as Kubernetes reads it, which trims it and takes an address within for its network."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def _cover_everything(networks: Sequence[Network]) -> bool:
    """Whether one family has no address left, by one range or by several."""
    of_4 = ipaddress.collapse_addresses(found for found in networks if isinstance(found, ipaddress.IPv4Network))
    of_6 = ipaddress.collapse_addresses(found for found in networks if isinstance(found, ipaddress.IPv6Network))
    collapsed: list[Network] = [*of_4, *of_6]
    return any(found.prefixlen == 0 for found in collapsed)


POLICY = resource_policy(RULE, check)
