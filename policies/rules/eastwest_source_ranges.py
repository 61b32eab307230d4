"""The east-west gateway accepts connections from the peers' networks only."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

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
    why=(
        "The east-west gateway is the entrance to every service of the mesh. Clients need a certificate of the "
        "mesh. Source ranges also refuse connections from all other networks."
    ),
    limits=(
        "It does not see firewalls, security groups and network policies outside the Service. It knows the "
        "gateway by its name and by the labels of the Service and its selector, and an internal load balancer "
        "by the annotations of the well-known clouds."
    ),
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

INTERNAL = {
    "cloud.google.com/load-balancer-type": "internal",
    "networking.gke.io/load-balancer-type": "internal",
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "service.beta.kubernetes.io/oci-load-balancer-internal": "true",
    "service.beta.kubernetes.io/openstack-internal-load-balancer": "true",
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": "private",
}
"""The annotations by which clouds make a load balancer internal, with their values in lower case."""
NOT_PUBLIC_IPV4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
)
MAPPED_PREFIX = 96
"""The length of the prefix of IPv4 addresses that are written as IPv6."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check(resource: Resource, parameters: Parameters) -> Iterator[str]:
    """Require source ranges that do not cover all addresses."""
    spec = look(resource.properties, "spec")
    if parameters[OPEN] or not _is_eastwest(resource) or look(spec, "type") != "LoadBalancer" or _is_internal(resource):
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
        yield f"{resource} is open to the world: its loadBalancerSourceRanges cover all public addresses"


def _is_eastwest(resource: Resource) -> bool:
    """Whether its name, or a label of it or of its pods, is the gateway's: charts and teams use various labels."""
    names = (EASTWEST, EASTWEST.removeprefix("istio-"))
    labels = (look(resource.properties, *place) for place in (("metadata", "labels"), ("spec", "selector")))
    values = [value for found in labels if isinstance(found, Mapping) for value in found.values()]
    return resource.is_object("core/Service") and any(name in names for name in (resource.object_name, *values))


def _is_internal(resource: Resource) -> bool:
    """Whether an annotation makes a cloud give the load balancer an address of the private network only."""
    annotations = look(resource.properties, "metadata", "annotations")
    return any(str(look(annotations, name)).lower() == value for name, value in INTERNAL.items())


def _annotated(resource: Resource) -> object:
    text = look(resource.properties, "metadata", "annotations", ANNOTATION)
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _network(text: object) -> Network | None:
    """Parse a range as Kubernetes does: it trims blanks, accepts host bits, and needs the length of the prefix."""
    if not isinstance(text, str) or "/" not in text:
        return None
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is None or found.prefixlen < MAPPED_PREFIX:
        return found
    return ipaddress.IPv4Network((mapped, found.prefixlen - MAPPED_PREFIX))


def _cover_everything(networks: Sequence[Network]) -> bool:
    """Whether the ranges together cover all public unicast addresses of IPv4 or of IPv6."""
    of_4 = list(ipaddress.collapse_addresses(it for it in networks if isinstance(it, ipaddress.IPv4Network)))
    of_6 = list(ipaddress.collapse_addresses(it for it in networks if isinstance(it, ipaddress.IPv6Network)))
    # Collapsed ranges are as wide as can be, so a part of the world lies in one of them or in none.
    return all(any(part.subnet_of(found) for found in of_4) for part in PUBLIC_IPV4) or any(
        PUBLIC_IPV6.subnet_of(found) for found in of_6
    )


def _public_ipv4() -> tuple[ipaddress.IPv4Network, ...]:
    """All addresses without those that no client on the internet has."""
    parts = [ipaddress.IPv4Network("0.0.0.0/0")]
    for text in NOT_PUBLIC_IPV4:
        hole = ipaddress.IPv4Network(text)
        parts = [rest for part in parts for rest in (part.address_exclude(hole) if hole.subnet_of(part) else (part,))]
    return tuple(parts)


PUBLIC_IPV4 = _public_ipv4()
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")


POLICY = resource_policy(RULE, check)
