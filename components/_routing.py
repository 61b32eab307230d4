"""Istio routing for helloworld: weights in, object specs out, the same for every cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

from components import _istio_values, _names


def weights(v2_weight: int) -> Mapping[str, int]:
    """Share of each version, in percent; they sum to 100."""
    return {"v1": 100 - v2_weight, "v2": v2_weight}


def gateway_spec() -> dict[str, Any]:
    """The plain HTTP listener on the ingress gateway."""
    return {
        "selector": {"istio": _istio_values.gateway_labels(_names.INGRESS_GATEWAY)["istio"]},
        "servers": [{"port": {"number": _names.HTTP_PORT, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    }


def destination_rule_spec(versions: Sequence[str]) -> dict[str, Any]:
    """A subset for each version, wherever in the mesh it runs."""
    return {
        "host": _names.HELLOWORLD_HOST,
        "subsets": [{"name": version, "labels": {"version": version}} for version in versions],
    }


def virtual_service_spec(*, gateway: str, host: str, weights: Mapping[str, int]) -> dict[str, Any]:
    """
    The weighted route to helloworld.

    Args:
        gateway: Where the requests come from: a Gateway's name, or `mesh` for sidecars.
        host: The host that they ask for.
        weights: Percent by version.
    """
    return {
        "gateways": [gateway],
        "hosts": [host],
        "http": [
            {
                "match": [{"uri": {"exact": _names.HELLOWORLD_PATH}}],
                "route": [
                    {
                        "destination": {
                            "host": _names.HELLOWORLD_HOST,
                            "port": {"number": _names.HELLOWORLD_PORT},
                            "subset": version,
                        },
                        "weight": weight,
                    }
                    for version, weight in weights.items()
                ],
            }
        ],
    }
