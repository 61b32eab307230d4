"""Locality failover works only with outlier detection."""

from collections.abc import Iterator, Mapping

from policies.lib import routing
from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, items, look, show, whole_number

FAILOVER = ("failover", "failoverPriority")
RULE = Rule(
    name="mcsps-routing-failover",
    description="A DestinationRule with locality failover has outlier detection that can eject an endpoint.",
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
        yield from _with_ports(f"spec.subsets[{index}].trafficPolicy", policy, detection if own is None else own)


def _with_ports(place: str, policy: object, detection: object) -> Iterator[TrafficPolicy]:
    yield place, policy, detection
    # Port-level settings inherit nothing.
    for index, port in enumerate(items(look(policy, "portLevelSettings"))):
        yield f"{place}.portLevelSettings[{index}]", port, look(port, "outlierDetection")


def _fails_over(policy: object) -> bool:
    setting = look(policy, "loadBalancer", "localityLbSetting")
    # An unknown value may turn out empty.
    return any(look(setting, key) not in (None, UNKNOWN, []) for key in FAILOVER)


def _can_eject(detection: Mapping[str, object]) -> bool:
    errors, of_gateways = (detection.get(key) for key in ("consecutive5xxErrors", "consecutiveGatewayErrors"))
    # Envoy's default is 5 for the first and off for the second.
    return errors is None or any(count is UNKNOWN or (whole_number(count) or 0) > 0 for count in (errors, of_gateways))


POLICY = resource_policy(RULE, check)
