"""
Checks that the pods of the mesh have room in the quotas of their namespaces, and that autoscalers have a range.

It counts what every `up` starts: the least replicas of istiod and of each gateway, and the application with its
sidecars. A limit in Helm values that is no quantity counts as nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config.base import NAMESPACE
from config.schema.helloworld import Helloworld
from config.schema.istio import Istio
from config.schema.rancher import Quota, Rancher
from config.types import Quantity, amount
from errors import show
from mesh import gateways, istio_values

RESOURCES = {"cpu": "limitsCpu", "memory": "limitsMemory"}
"""The key of a quota by resource."""
LEAST, MOST = 1, 5
"""The replicas between which autoscalers of Istio's charts scale by default."""
DIGITS = 10
_MEBI = 2**20
_QUANTITY = TypeAdapter(Quantity)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """
    How many pods a Deployment of a chart has, by its Helm values.

    Attributes:
        key: The key of the most pods, within `istio.values`.
        least: The number at the start.
        most: The number that the stack file allows the autoscaler; `None` if it says nothing.
    """

    key: str
    least: int
    most: int | None


def check_scales(istio: Istio) -> None:
    """
    Refuse autoscalers without a range.

    Raises:
        ValueError: A number is none, or the least is more than the most. The message starts
            with the full config key.
    """
    _istiod_scale(istio)
    _gateway_scale(istio)


def check_istio_room(istio: Istio, rancher: Rancher) -> None:
    """
    Refuse a quota that has no room for istiod and the gateways.

    Raises:
        ValueError: It has none. The message starts with the full config key.
    """
    quota = rancher.project.namespace_quota
    count = len(gateways.GATEWAYS)
    istiod, gateway = _istiod_scale(istio), _gateway_scale(istio)
    limits = {
        "istiod": _limits(_merged(istio, "istiod"), "resources"),
        "gateway": _limits(_merged(istio, "gateway"), "resources"),
    }
    for resource, key in RESOURCES.items():
        of_istiod, of_gateway = limits["istiod"][resource], count * limits["gateway"][resource]
        room = amount(_read(quota, resource))
        needed = istiod.least * of_istiod + gateway.least * of_gateway
        if needed > room:
            raise ValueError(
                f"{NAMESPACE}:rancher.project.namespaceQuota.{key}: got {_read(quota, resource)}; allowed: at least "
                f"{_write(resource, needed)}, the limits of istiod and of {count} gateways at their start"
            )
        for scale, each, rest in (
            (istiod, of_istiod, gateway.least * of_gateway),
            (gateway, of_gateway, istiod.least * of_istiod),
        ):
            if scale.most is not None and rest + scale.most * each > room:
                raise ValueError(
                    f"{NAMESPACE}:istio.values.{scale.key}: got {scale.most}; allowed: at most "
                    f"{int((room - rest) // each)}, which fits into rancher.project.namespaceQuota.{key}: "
                    f"{_read(quota, resource)}"
                )


def check_app_room(app: Helloworld, istio: Istio, rancher: Rancher, versions: int) -> None:
    """
    Refuse replicas for which the application's quota has no room.

    Args:
        app: The section `helloworld`.
        istio: The section `istio`, which has the sidecars' limits.
        rancher: The section `rancher`.
        versions: The most versions that a cluster with access `rancher` runs.

    Raises:
        ValueError: It has none. The message starts with the full config key.
    """
    quota = rancher.app_project.namespace_quota
    sidecar = _limits(_merged(istio, "istiod"), "global", "proxy", "resources")
    for resource, key in RESOURCES.items():
        each = versions * (amount(getattr(app.resources.limits, resource)) + sidecar[resource])
        room = amount(_read(quota, resource))
        place = f"rancher.appProject.namespaceQuota.{key}"
        if each > room:
            raise ValueError(
                f"{NAMESPACE}:{place}: got {_read(quota, resource)}; allowed: at least {_write(resource, each)}, the "
                f"limits of one pod of each version with its sidecar"
            )
        if app.replicas * each > room:
            raise ValueError(
                f"{NAMESPACE}:helloworld.replicas: got {app.replicas}; allowed: at most {int(room // each)}, which "
                f"fits into {place}: {_read(quota, resource)}"
            )


def _merged(istio: Istio, chart: str) -> Mapping[str, Any]:
    return istio_values.merge(istio_values.OUTLINES[chart], getattr(istio.values, chart))


def _istiod_scale(istio: Istio) -> Scale:
    values = istio.values.istiod
    if not values.get("autoscaleEnabled", True):
        return _fixed("istiod", values)
    return _scale("istiod", values, "autoscaleMin", "autoscaleMax")


def _gateway_scale(istio: Istio) -> Scale:
    values = istio.values.gateway
    scaling = values.get("autoscaling")
    scaling = scaling if isinstance(scaling, Mapping) else {}
    if not scaling.get("enabled", True):
        return _fixed("gateway", values)
    return _scale("gateway.autoscaling", scaling, "minReplicas", "maxReplicas")


def _fixed(place: str, values: Mapping[str, Any]) -> Scale:
    key = f"{place}.replicaCount"
    return Scale(key=key, least=_count(key, values.get("replicaCount"), LEAST), most=None)


def _scale(place: str, values: Mapping[str, Any], least_key: str, most_key: str) -> Scale:
    least = _count(f"{place}.{least_key}", values.get(least_key), LEAST)
    most = _count(f"{place}.{most_key}", values.get(most_key), MOST)
    if least > most:
        raise ValueError(
            f"{NAMESPACE}:istio.values.{place}.{least_key}: got {least}; allowed: at most {most_key}, which is {most}"
        )
    return Scale(key=f"{place}.{most_key}", least=least, most=most if most_key in values else None)


def _count(key: str, value: object, default: int) -> int:
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < DIGITS else value
    if number is None:
        return default
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{NAMESPACE}:istio.values.{key}: got {show(value)}; allowed: a whole number of 1 or more")
    return number


def _limits(values: Mapping[str, Any], *place: str) -> Mapping[str, Decimal]:
    found: Any = values
    for step in (*place, "limits"):
        found = found.get(step) if isinstance(found, Mapping) else None
    limits = found if isinstance(found, Mapping) else {}
    return {resource: _amount(limits.get(resource)) for resource in RESOURCES}


def _amount(value: object) -> Decimal:
    try:
        return amount(_QUANTITY.validate_python(str(value)))
    except ValidationError:
        return Decimal(0)


def _read(quota: Quota, resource: str) -> str:
    return quota.limits_cpu if resource == "cpu" else quota.limits_memory


def _write(resource: str, needed: Decimal) -> str:
    unit, name = (Decimal(_MEBI), "Mi") if resource == "memory" else (Decimal("0.001"), "m")
    return f"{(needed / unit).to_integral_value(ROUND_UP)}{name}"
