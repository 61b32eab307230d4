"""Locality failover works only with outlier detection."""

from collections.abc import Iterator, Mapping

from policies.lib import routing
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, items, look, show, whole_number

FAILOVER = ("failover", "failoverPriority")
COUNTERS = ("5xxErrors", "GatewayErrors", "LocalOriginFailures")
RULE = Rule(
    name="mcsps-routing-failover",
    description="A DestinationRule with locality failover has outlier detection that can eject an endpoint.",
    why=(
        "Istio moves requests to another locality only when outlier detection ejects an endpoint. Without it, "
        "requests still go to a failed region."
    ),
    limits=(
        "It does not see `meshConfig.localityLbSetting`, the localities of the endpoints, or another "
        "DestinationRule that is merged with this one."
    ),
    remedy=(
        "set outlierDetection in the same trafficPolicy, with consecutive5xxErrors or consecutiveGatewayErrors "
        "above 0, or remove failover"
    ),
)

TrafficPolicy = tuple[str, object, object]
"""The place of a traffic policy, the policy, and the outlier detection that applies to it."""


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Check each traffic policy."""
    if not routing.is_destination_rule(resource):
        return
    for place, policy, detection in _policies(routing.spec(resource)):
        if not _fails_over(policy) or detection is UNKNOWN:
            continue
        if not isinstance(detection, Mapping):
            yield f"{resource}: {place} has failover, and {show(detection)} for outlierDetection"
        elif not _can_eject(detection):
            yield f"{resource}: {place} has failover, and an outlierDetection that no error triggers"


def _policies(spec: object) -> Iterator[TrafficPolicy]:
    general = look(spec, "trafficPolicy")
    detection = look(general, "outlierDetection")
    yield from _with_ports("spec.trafficPolicy", general, detection)
    for index, subset in enumerate(items(look(spec, "subsets"))):
        policy = look(subset, "trafficPolicy")
        own = look(policy, "outlierDetection")
        place = f"spec.subsets[{index}].trafficPolicy"
        if own is not None and look(policy, "loadBalancer") is None:
            # The subset replaces the detection alone, and inherits the failover.
            yield f"{place}, which inherits spec.trafficPolicy,", general, own
        yield from _with_ports(place, policy, detection if own is None else own)


def _with_ports(place: str, policy: object, detection: object) -> Iterator[TrafficPolicy]:
    yield place, policy, detection
    # Port-level settings inherit nothing.
    for index, port in enumerate(items(look(policy, "portLevelSettings"))):
        yield f"{place}.portLevelSettings[{index}]", port, look(port, "outlierDetection")


def _fails_over(policy: object) -> bool:
    setting = look(policy, "loadBalancer", "localityLbSetting")
    # An unknown value may turn out empty.
    return look(setting, "enabled") in (None, True) and any(
        look(setting, key) not in (None, UNKNOWN, []) for key in FAILOVER
    )


def _can_eject(detection: Mapping[str, object]) -> bool:
    errors, of_gateways, local = (detection.get(f"consecutive{key}") for key in COUNTERS)
    is_split = detection.get("splitExternalLocalOriginErrors")
    # Envoy's default is 5 for the first and the last, and off for the second; the last counts only if split.
    if errors is None or (local is None and is_split is True) or is_split is UNKNOWN:
        return True
    counts = (errors, of_gateways, local if is_split is True else 0)
    return any(count is UNKNOWN or (whole_number(count) or 0) > 0 for count in counts)


POLICY = resource_policy(RULE, check)
