"""How long a proxy may take to detect a failed endpoint, computed from its routing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubernetes.utils.duration import parse_duration

from config.schema import Settings
from errors import UserError
from mesh.routing import weights
from ops.drill.scenario import FailureMode
from ops.model import JsonModel
from ops.traffic import audiences
from ops.traffic.split import SIGMAS

# The defaults of Envoy and Istio.
_ERRORS = 5
_INTERVAL = "10s"
_EJECTION = "30s"
_EJECTION_PERCENT = 10
_CONNECT = "10s"
_NEVER = "0s"


class Detection(JsonModel):
    """
    How a proxy detects a failed endpoint.

    Attributes:
        errors: So many consecutive errors eject it.
        connect_timeout_seconds: After this time a connection without an answer is an error.
        per_try_timeout_seconds: After this time a try on an open connection is an error; 0 without a limit.
    """

    errors: int
    interval_seconds: float
    base_ejection_seconds: float
    max_ejection_percent: int
    connect_timeout_seconds: float
    per_try_timeout_seconds: float

    def bound(self, failure_mode: FailureMode, gap_seconds: float) -> float:
        """
        Return how long after the cut requests may still fail, in seconds.

        Args:
            failure_mode: A blackhole costs a timeout as well, the longer one.
            gap_seconds: The average time between two requests to the endpoint.
        """
        # The errors take longer than this about once in a thousand times.
        errors = (self.errors + SIGMAS * math.sqrt(self.errors)) * gap_seconds
        timeout = max(self.connect_timeout_seconds, self.per_try_timeout_seconds)
        return errors + self.interval_seconds + (timeout if failure_mode is FailureMode.BLACKHOLE else 0.0)


def read_detection(
    rule: Mapping[str, Any] | None, virtual_services: Sequence[Mapping[str, Any] | None] = ()
) -> Detection | None:
    """
    Read the routing; `None` where no failed endpoint is ever detected.

    Args:
        rule: The DestinationRule's spec.
        virtual_services: The specs of the VirtualServices that lead to it.

    Raises:
        UserError: It has an invalid duration.
    """
    policy = (rule or {}).get("trafficPolicy") or {}
    outliers = policy.get("outlierDetection")
    if outliers is None:
        return None
    counts = (outliers.get("consecutive5xxErrors", _ERRORS), outliers.get("consecutiveGatewayErrors", 0))
    errors = [int(count) for count in counts if count]
    if not errors:
        return None
    tcp = (policy.get("connectionPool") or {}).get("tcp") or {}
    return Detection(
        errors=min(errors),
        interval_seconds=_seconds(outliers, "interval", _INTERVAL),
        base_ejection_seconds=_seconds(outliers, "baseEjectionTime", _EJECTION),
        max_ejection_percent=outliers.get("maxEjectionPercent", _EJECTION_PERCENT),
        connect_timeout_seconds=_seconds(tcp, "connectTimeout", _CONNECT),
        per_try_timeout_seconds=max((_per_try_timeout(spec) for spec in virtual_services if spec), default=0.0),
    )


def gap_seconds(settings: Settings, rate: float) -> float:
    """
    Return the seconds between two requests to one pod of the rarest version, at `rate` requests per second.

    This is an upper limit: a client that prefers its own cluster uses fewer pods, and the pods behind a gateway are one
    endpoint for it.
    """
    return max(
        settings.helloworld.replicas * len(_running(settings, version)) / (rate * share / 100)
        for version, share in _shares(settings)
    )


def alone(settings: Settings, cluster: str) -> Mapping[str, int]:
    """Return the versions that no other cluster runs, with their largest share in percent from any cluster."""
    largest: dict[str, int] = {}
    for version, share in _shares(settings):
        if _running(settings, version) == {cluster}:
            largest[version] = max(share, largest.get(version, 0))
    return largest


def _shares(settings: Settings) -> Iterator[tuple[str, int]]:
    """Yield each version with its share in percent from each cluster, where that is not 0."""
    for cluster in settings.clusters:
        for version, share in weights(audiences.wanted(settings, cluster.name)).items():
            if share:
                yield version, share


def _running(settings: Settings, version: str) -> set[str]:
    return {cluster.name for cluster in settings.clusters if version in cluster.versions}


def _per_try_timeout(spec: Mapping[str, Any]) -> float:
    retries = (route.get("retries") or {} for route in spec.get("http") or ())
    return max((_seconds(each, "perTryTimeout", _NEVER, "VirtualService") for each in retries), default=0.0)


def _seconds(where: Mapping[str, Any], key: str, otherwise: str, kind: str = "DestinationRule") -> float:
    text = str(where.get(key, otherwise))
    try:
        return float(parse_duration(text).total_seconds())
    except ValueError:
        raise UserError(f"{key} '{text}' of the {kind} is not supported", "Write it in whole s or ms") from None
