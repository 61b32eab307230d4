"""
Where clusters of a mesh must be equal, and where they are not.

A Service of the same name in the same namespace is one Service to Istio, and routing acts where a request starts. So a
namespace that two clusters share must have the same injection, Services of the same ports, and the same routing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh import names
from ops.cluster.api import ROUTING_KINDS, Manifest

Surface = Mapping[str, Any]
"""What must be equal, as JSON data by object, such as `Service sample/helloworld`."""

_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """
    One place in which a cluster differs from its peers.

    Attributes:
        place: The object.
        field: The path within it; empty where the whole object is missing somewhere.
        has: What the cluster has there.
        peers: What each other cluster has.
    """

    cluster: str
    place: str
    field: str
    has: str
    peers: Mapping[str, str]

    def __str__(self) -> str:
        """Describe it in one line."""
        peers = ", ".join(f"{value} in {peer}" for peer, value in self.peers.items() if value != self.has)
        return f"{' '.join(filter(None, (self.place, self.field)))} is {self.has} in {self.cluster}, {peers}"


def surface(manifests: Iterable[Manifest]) -> Surface:
    """Return what must be equal of objects, given as the Kubernetes API has them; other kinds may differ."""
    return {_place(manifest): _needed(manifest) for manifest in manifests if _is_shared(manifest)}


def differences(surfaces: Mapping[str, Surface]) -> tuple[Difference, ...]:
    """
    Compare all clusters.

    Where more than half agree, the others are named; otherwise all are.
    """
    found: list[Difference] = []
    for place in dict.fromkeys(place for each in surfaces.values() for place in each):
        _compare(place, "", {cluster: each.get(place, _ABSENT) for cluster, each in surfaces.items()}, found)
    return tuple(found)


def _compare(place: str, field: str, values: Mapping[str, Any], found: list[Difference]) -> None:
    shapes = {cluster: _shape(value) for cluster, value in values.items()}
    differing = _minority(shapes)
    found += [
        Difference(
            cluster=cluster,
            place=place,
            field=field,
            has=_show(values[cluster]),
            peers={peer: _show(value) for peer, value in values.items() if peer != cluster},
        )
        for cluster in differing
    ]
    if differing:
        return
    inside = next(iter(values.values()))
    if isinstance(inside, Mapping):
        keys = dict.fromkeys(key for value in values.values() for key in value)
        for key in keys:
            below = {cluster: value.get(key, _ABSENT) for cluster, value in values.items()}
            _compare(place, f"{field}.{key}".lstrip("."), below, found)
    elif isinstance(inside, list):
        for index in range(len(inside)):
            _compare(place, f"{field}[{index}]", {cluster: value[index] for cluster, value in values.items()}, found)


def _shape(value: object) -> str:
    """What two values must have in common before their insides are compared."""
    if isinstance(value, Mapping):
        return "a mapping"
    return f"a list of {len(value)}" if isinstance(value, list) else _show(value)


def _minority(shapes: Mapping[str, str]) -> list[str]:
    if len(set(shapes.values())) <= 1:
        return []
    all_of_them = list(shapes.values())
    most = next((shape for shape in all_of_them if 2 * all_of_them.count(shape) > len(all_of_them)), None)
    return [cluster for cluster, shape in shapes.items() if shape != most]


def _show(value: object) -> str:
    if value is _ABSENT:
        return "missing"
    if isinstance(value, Mapping):
        return "there"
    return f"a list of {len(value)}" if isinstance(value, list) else json.dumps(value)


def _is_shared(manifest: Manifest) -> bool:
    metadata = manifest["metadata"]
    if manifest["kind"] == "Namespace":
        return bool(metadata["name"] == names.APP_NAMESPACE)
    return metadata.get("namespace") == names.APP_NAMESPACE and manifest["kind"] in {"Service", *ROUTING_KINDS}


def _place(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))}"


def _needed(manifest: Manifest) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    match manifest["kind"]:
        case "Namespace":
            return {names.INJECTION_LABEL: (manifest["metadata"].get("labels") or {}).get(names.INJECTION_LABEL)}
        case "Service":
            return {"ports": {str(port.get("name")): _port(port) for port in manifest["spec"].get("ports") or ()}}
        case _:
            return {"spec": manifest.get("spec")}


def _port(port: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "port": port["port"],
        "protocol": port.get("protocol", "TCP"),
        "appProtocol": port.get("appProtocol"),
    }
