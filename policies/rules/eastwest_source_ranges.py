"""The east-west gateway accepts connections from the peers' networks only."""

import ipaddress
from collections.abc import Iterator, Sequence

from pulumi_policy import EnforcementLevel

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, look, show

OPEN = "openToTheWorld"
EASTWEST = "istio-eastwestgateway"
ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
RULE = Rule(
    name="mcsps-eastwest-source-ranges",
    description="The load balancer of the east-west gateway accepts connections from its peers' networks only.",
    remedy=(
        "list the networks of the peers in spec.loadBalancerSourceRanges, or set openToTheWorld to true in the policy "
        "config where a firewall in front of the load balancer does the same"
    ),
    # Clients need a certificate of the mesh anyway, and the program has no config key for ranges yet.
    level=EnforcementLevel.ADVISORY,
    schema={
        OPEN: {"type": "boolean", "default": False, "description": "Whether any address may connect to port 15443."}
    },
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Require source ranges that do not cover all addresses."""
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
            yield f"{resource} has {show(text)} in loadBalancerSourceRanges, which is not an address range"
    if _cover_everything(networks):
        yield f"{resource} is open to the world: its loadBalancerSourceRanges cover all addresses"


def _is_eastwest(resource: Resource) -> bool:
    label = look(resource.properties, "metadata", "labels", "istio")
    selector = look(resource.properties, "spec", "selector", "istio")
    is_known = resource.object_name == EASTWEST or EASTWEST.removeprefix("istio-") in (label, selector)
    return resource.is_object("core/Service") and is_known


def _annotated(resource: Resource) -> object:
    text = look(resource.properties, "metadata", "annotations", ANNOTATION)
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _network(text: object) -> Network | None:
    """Parse a range as Kubernetes does: it trims blanks and accepts host bits."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def _cover_everything(networks: Sequence[Network]) -> bool:
    """Whether the ranges together cover all IPv4 or all IPv6 addresses."""
    of_4 = ipaddress.collapse_addresses(found for found in networks if isinstance(found, ipaddress.IPv4Network))
    of_6 = ipaddress.collapse_addresses(found for found in networks if isinstance(found, ipaddress.IPv6Network))
    collapsed: list[Network] = [*of_4, *of_6]
    return any(found.prefixlen == 0 for found in collapsed)


POLICY = resource_policy(RULE, check)
