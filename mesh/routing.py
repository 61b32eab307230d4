"""Istio routing for helloworld: weights, audiences and failover in, object specs out, the same for every cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh import istio_values, names

RETRY_ON = "connect-failure,refused-stream,gateway-error"
"""The last covers a try that came to no end in its time, too."""


@dataclass(frozen=True, kw_only=True)
class Audience:
    """A part of the requests that gets one version, whatever the weights."""

    name: str
    version: str
    header: str | None
    """Its name; none for requests with any headers."""
    header_match: Mapping[str, str]
    """What it must be, as Istio's StringMatch."""
    clusters: tuple[str, ...]
    """From whose pods, and through whose ingress gateway, the requests come; empty for all."""


@dataclass(frozen=True, kw_only=True)
class Failover:
    """How clients find out that an endpoint is dead, and where they go instead."""

    consecutive_gateway_errors: int
    interval_seconds: int
    base_ejection_seconds: int
    max_ejection_percent: int
    connect_timeout_seconds: int
    retry_attempts: int
    per_try_timeout_seconds: int
    order: Mapping[str, str]
    """The region that comes next, by region."""


def weights(v2_weight: int) -> Mapping[str, int]:
    """Share of each version, in percent; they sum to 100."""
    return {"v1": 100 - v2_weight, "v2": v2_weight}


def gateway_spec() -> dict[str, Any]:
    """The plain HTTP listener on the ingress gateway."""
    return {
        "selector": {"istio": istio_values.gateway_labels(names.INGRESS_GATEWAY)["istio"]},
        "servers": [{"port": {"number": names.HTTP_PORT, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    }


def destination_rule_spec(versions: Sequence[str], failover: Failover | None = None) -> dict[str, Any]:
    """
    A subset for each version, wherever in the mesh it runs.

    Args:
        versions: All that there are, whatever runs: a subset that no request names harms nobody, and one that is taken
            away while requests name it loses them.
        failover: How clients leave a dead endpoint, if they do.
    """
    return {
        "host": names.HELLOWORLD_HOST,
        **({"trafficPolicy": _traffic_policy(failover)} if failover else {}),
        "subsets": [{"name": version, "labels": {"version": version}} for version in versions],
    }


def _traffic_policy(failover: Failover) -> dict[str, Any]:
    return {
        "connectionPool": {"tcp": {"connectTimeout": _seconds(failover.connect_timeout_seconds)}},
        "loadBalancer": {
            "localityLbSetting": {
                "enabled": True,
                # Istiod knows the cluster of every proxy and endpoint, whatever their localities say.
                "failoverPriority": [names.CLUSTER_LABEL],
                "failover": [{"from": region, "to": following} for region, following in failover.order.items()],
            }
        },
        "outlierDetection": {
            "consecutiveGatewayErrors": failover.consecutive_gateway_errors,
            # An application's own errors are the same in every cluster.
            "consecutive5xxErrors": 0,
            "interval": _seconds(failover.interval_seconds),
            "baseEjectionTime": _seconds(failover.base_ejection_seconds),
            "maxEjectionPercent": failover.max_ejection_percent,
            # With nobody left, asking those that were given up is better than asking nobody.
            "minHealthPercent": 1,
        },
    }


def virtual_service_spec(
    *,
    gateway: str,
    host: str,
    weights: Mapping[str, int],
    audiences: Sequence[Audience] = (),
    failover: Failover | None = None,
) -> dict[str, Any]:
    """
    The routes to helloworld: one for each audience, and the weighted one for everybody else.

    Args:
        gateway: Where the requests come from: a Gateway's name, or `mesh` for sidecars.
        host: The host that they ask for.
        weights: Percent by version.
        audiences: The first that a request belongs to decides.
        failover: How often and how soon a request is tried again, if so.
    """
    retries = {"retries": _retries(failover)} if failover else {}
    return {
        "gateways": [gateway],
        "hosts": [host],
        "http": [
            *(
                {
                    "name": audience.name,
                    "match": _matches(audience),
                    "route": [{"destination": _destination(audience.version)}],
                    **retries,
                }
                for audience in audiences
            ),
            {
                "match": [_PATH],
                "route": [
                    {"destination": _destination(version), "weight": weight} for version, weight in weights.items()
                ],
                **retries,
            },
        ],
    }


_PATH: Mapping[str, Any] = {"uri": {"exact": names.HELLOWORLD_PATH}}


def _matches(audience: Audience) -> list[dict[str, Any]]:
    header = {"headers": {audience.header: dict(audience.header_match)}} if audience.header else {}
    if not audience.clusters:
        return [{**_PATH, **header}]
    return [{**_PATH, **header, "sourceLabels": {names.CLUSTER_LABEL: cluster}} for cluster in audience.clusters]


def _destination(version: str) -> dict[str, Any]:
    return {
        "host": names.HELLOWORLD_HOST,
        "port": {"number": names.HELLOWORLD_PORT},
        "subset": version,
    }


def _retries(failover: Failover) -> dict[str, Any]:
    if not failover.retry_attempts:
        return {"attempts": 0}
    return {
        "attempts": failover.retry_attempts,
        "perTryTimeout": _seconds(failover.per_try_timeout_seconds),
        "retryOn": RETRY_ON,
        # The second retry leaves the cluster, before its endpoints are given up.
        "retryRemoteLocalities": True,
    }


def _seconds(seconds: int) -> str:
    return f"{seconds}s"
