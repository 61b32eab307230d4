"""Istio's routing objects for helloworld, which are the same in every cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh import istio_values, names

RETRY_ON = "connect-failure,refused-stream,gateway-error"
"""Istio's retry conditions; gateway-error includes attempts that time out."""


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Requests that get one version, regardless of the weights."""

    name: str
    version: str
    header: str | None
    """Name of the header to match; `None` matches requests with any headers."""
    header_match: Mapping[str, str]
    """The header's value, as Istio's StringMatch."""
    clusters: tuple[str, ...]
    """Clusters whose pods or ingress gateways send the requests; empty for all clusters."""


@dataclass(frozen=True, kw_only=True)
class Failover:
    """How clients detect failed endpoints, and which endpoints they use instead."""

    consecutive_gateway_errors: int
    interval_seconds: int
    base_ejection_seconds: int
    max_ejection_percent: int
    connect_timeout_seconds: int
    retry_attempts: int
    per_try_timeout_seconds: int
    order: Mapping[str, str]
    """The region to fail over to, by region."""


def weights(v2_weight: int) -> Mapping[str, int]:
    """The weight of each version, in percent; they sum to 100."""
    return {"v1": 100 - v2_weight, "v2": v2_weight}


def gateway_spec() -> dict[str, Any]:
    """The spec of the Gateway: a plain HTTP listener on the ingress gateway."""
    return {
        "selector": {"istio": istio_values.gateway_labels(names.INGRESS_GATEWAY)["istio"]},
        "servers": [{"port": {"number": names.HTTP_PORT, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    }


def destination_rule_spec(versions: Sequence[str], failover: Failover | None = None) -> dict[str, Any]:
    """
    The spec of the DestinationRule: a subset for each version, in all clusters.

    Args:
        versions: All known versions, running or not: an unused subset has no effect, and removing one in use loses
            requests.
        failover: How clients avoid failed endpoints; `None` for Istio's defaults.
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
                # Istiod knows the cluster of every proxy and endpoint, with or without localities.
                "failoverPriority": [names.CLUSTER_LABEL],
                "failover": [{"from": region, "to": following} for region, following in failover.order.items()],
            }
        },
        "outlierDetection": {
            "consecutiveGatewayErrors": failover.consecutive_gateway_errors,
            # An application's own errors occur in every cluster, so they do not eject endpoints.
            "consecutive5xxErrors": 0,
            "interval": _seconds(failover.interval_seconds),
            "baseEjectionTime": _seconds(failover.base_ejection_seconds),
            "maxEjectionPercent": failover.max_ejection_percent,
            # If every endpoint is ejected, use all of them instead of answering 503.
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
    The spec of a VirtualService: one route for each audience, and a weighted route for all other requests.

    Args:
        gateway: The source of the requests: a Gateway's name, or `mesh` for sidecars.
        host: The host of the requests.
        weights: Percent by version.
        audiences: The audiences in order; the first that matches a request decides.
        failover: How often and how soon a request is retried; `None` for Istio's defaults.
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
        # The second retry goes to another locality, even before the endpoints here are ejected.
        "retryRemoteLocalities": True,
    }


def _seconds(seconds: int) -> str:
    return f"{seconds}s"
