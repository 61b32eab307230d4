"""
Rancher's arithmetic with the quotas of projects and namespaces: pure.

Limits have the names of Rancher's API (`limitsCpu`), resources those of Kubernetes (`limits.cpu`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.rancher import quantities
from lab.rancher.quantities import Resources
from lab.rancher.store import Document

Limit = Mapping[str, Any]

_RESOURCES = {
    "replicationControllers": "replicationcontrollers",
    "configMaps": "configmaps",
    "persistentVolumeClaims": "persistentvolumeclaims",
    "servicesNodePorts": "services.nodeports",
    "servicesLoadBalancers": "services.loadbalancers",
    "requestsCpu": "requests.cpu",
    "requestsMemory": "requests.memory",
    "requestsStorage": "requests.storage",
    "limitsCpu": "limits.cpu",
    "limitsMemory": "limits.memory",
}
_EXTENDED = "extended"
_PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
"""Kubernetes' pattern of a quantity, for its error message."""


@dataclass(frozen=True)
class Fit:
    """The resources that do not fit, by their sum, and those that are negative; both are empty if all fit."""

    exceeded: Resources
    negative: Resources

    @property
    def is_good(self) -> bool:
        """Whether the limit fits."""
        return not self.exceeded and not self.negative


def to_resources(limit: Limit) -> Resources:
    """
    Return a limit with the names of Kubernetes.

    Raises:
        ValueError: A value is not a quantity.
    """
    given = {str(key): str(it) for key, it in limit.items() if key != _EXTENDED and it not in (None, "")}
    given |= {str(key): str(it) for key, it in (limit.get(_EXTENDED) or {}).items()}
    for key, quantity in given.items():
        try:
            quantities.parse(quantity)
        except ValueError as error:
            message = f"parsing quantity \"{key}\": quantities must match the regular expression '{_PATTERN}'"
            raise ValueError(message) from error
    return {_RESOURCES.get(key, key): quantity for key, quantity in given.items()}


def to_limit(resources: Mapping[str, str]) -> Document:
    """Return resources with the names of Rancher's API."""
    back = {kubernetes: api for api, kubernetes in _RESOURCES.items()}
    return {back.get(name, name): quantity for name, quantity in resources.items()}


def fit(limit: Limit, others: Iterable[Limit], project: Limit) -> Fit:
    """Return why a namespace's limit, with those of the other namespaces, does not fit into the project's."""
    own = to_resources(limit)
    negative = {name: it for name, it in own.items() if quantities.parse(it) < 0}
    sums = quantities.add(_at_least_zero(to_resources(it)) for it in (limit, *others))
    most = to_resources(project)
    exceeded = {
        name: total
        for name, total in sums.items()
        if name in most and quantities.parse(total) > quantities.parse(most[name])
    }
    return Fit(exceeded, negative)


def complete(requested: Limit | None, default: Limit | None) -> Document | None:
    """
    Return the limit that a namespace has.

    None if its project has no default. Only requested resources that the default contains count.
    """
    if default is None:
        return None
    return dict(default) | {key: value for key, value in (requested or {}).items() if key in default}


def complete_container(own: Limit | None, project: Limit | None) -> Document | None:
    """Return the container defaults of a namespace: its own, and the project's for the missing ones."""
    merged = dict(project or {}) | dict(own or {})
    return merged or None


def limit_range_spec(container: Limit) -> Document | None:
    """Return the LimitRange with these container defaults; None if it would be empty."""
    limits = {"cpu": container.get("limitsCpu"), "memory": container.get("limitsMemory")}
    requests = {"cpu": container.get("requestsCpu"), "memory": container.get("requestsMemory")}
    item: Document = {
        "type": "Container",
        "default": {name: it for name, it in limits.items() if it},
        "defaultRequest": {name: it for name, it in requests.items() if it},
    }
    return {"limits": [item]} if item["default"] or item["defaultRequest"] else None


def without(limit: Limit, bad: Iterable[str]) -> Resources:
    """Return a limit's resources with the bad ones at zero, because what does not fit is not available."""
    return to_resources(limit) | dict.fromkeys(bad, "0")


def _at_least_zero(resources: Resources) -> Resources:
    return {name: it if quantities.parse(it) >= 0 else "0" for name, it in resources.items()}
