"""Istio's Helm charts in one cluster, as plain data: the releases with their values, and rendered objects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh import gateways, istio_values
from mesh.istio_values import ControlPlane, Values
from mesh.reader_rules import ReaderRights

Manifest = Mapping[str, Any]
"""One Kubernetes object, as in its YAML."""

BASE = "base"
ISTIOD = "istiod"
CRD = "CustomResourceDefinition"

_BINDING_NEEDS = frozenset({"ClusterRole", "Role", "ServiceAccount"})
NEEDS: Mapping[str, frozenset[str]] = {
    "ClusterRoleBinding": _BINDING_NEEDS,
    "RoleBinding": _BINDING_NEEDS,
    "Deployment": _BINDING_NEEDS | {"ClusterRoleBinding", "RoleBinding", "ConfigMap", "Secret"},
}
"""
The kinds of a release that must exist before an object of a kind; nothing for other kinds.

An istiod that starts before its injector's template exists never serves injection, and no pod with a sidecar can start.
Services and webhooks wait for the pods themselves.
"""


@dataclass(frozen=True, kw_only=True)
class ChartSource:
    """The source of a chart."""

    chart: str
    """The chart's name in its repository, its oci:// address, or the path of its folder."""
    repository: str | None
    """The https:// repository; `None` for the other kinds of source."""
    version: str | None
    """The chart's version; `None` for a folder, which holds one version."""

    @classmethod
    def of(cls, charts: str, chart: str, version: str) -> "ChartSource":
        """The source of `chart` in an https:// repository, an oci:// registry or a folder, which ignores `version`."""
        if charts.startswith("https://"):
            return cls(chart=chart, repository=charts, version=version)
        if charts.startswith("oci://"):
            return cls(chart=f"{charts}/{chart}", repository=None, version=version)
        return cls(chart=f"{charts}/{chart}", repository=None, version=None)


@dataclass(frozen=True, kw_only=True)
class Release:
    """A chart with its values, to be rendered for one cluster."""

    name: str
    source: ChartSource
    values: Values
    kube_version: str | None
    """The version of the cluster's API server, such as `v1.31.4`; `None` if the cluster is away."""


@dataclass(frozen=True, kw_only=True)
class RenderedRelease:
    """A release and the objects that its chart makes of it."""

    release: Release
    objects: Sequence[Manifest]


@dataclass(frozen=True, kw_only=True)
class IstioCharts:
    """What determines the releases of Istio in one cluster."""

    source: str
    """An https:// repository, an oci:// registry, or a folder."""
    version: str
    """The charts' version; ignored for a folder."""
    peer_rights: ReaderRights
    """What istiod can read in its peers."""
    gateway_locality: str | None
    """Istio's locality of the gateways' pods; `None` for that of their nodes."""
    values: Mapping[str, Values]
    """Values that override the program's own, by chart: `base`, `istiod` and `gateway`."""

    def releases(self, control_plane: ControlPlane, kube_version: str | None) -> Mapping[str, Release]:
        """The releases by name: `base`, `istiod`, and one for each gateway."""
        gateway_values = {
            gateway.release: istio_values.gateway_values(
                network_gateway=gateway.network(control_plane.network),
                locality=self.gateway_locality,
                timeout_seconds=control_plane.timeout_seconds,
            )
            for gateway in gateways.GATEWAYS
        }
        charts = {
            BASE: ("base", istio_values.base_values()),
            ISTIOD: ("istiod", istio_values.istiod_values(control_plane, self.peer_rights)),
            **{release: ("gateway", values) for release, values in gateway_values.items()},
        }
        return {
            name: Release(
                name=name,
                source=ChartSource.of(self.source, chart, self.version),
                values=istio_values.merge(values, self.values[chart]),
                kube_version=kube_version,
            )
            for name, (chart, values) in charts.items()
        }


def is_kept(manifest: Manifest) -> bool:
    """Whether the chart keeps an object when its release is deleted, as it does with its CRDs."""
    return bool((manifest["metadata"].get("annotations") or {}).get("helm.sh/resource-policy") == "keep")


def with_replicas(objects: Sequence[Manifest]) -> Iterator[Manifest]:
    """
    State one replica for each Deployment whose count neither the chart nor an autoscaler determines.

    Otherwise a Deployment that someone scaled to zero would stay there, since the stack states no count.
    """
    scaled = {
        target["name"]
        for each in objects
        if each["kind"] == "HorizontalPodAutoscaler" and (target := each["spec"]["scaleTargetRef"])
    }
    for each in objects:
        is_open = each["kind"] == "Deployment" and each["metadata"]["name"] not in scaled
        yield {**each, "spec": {"replicas": 1, **each["spec"]}} if is_open else each


def in_order(objects: Sequence[Manifest]) -> Sequence[Manifest]:
    """Sort objects so that each comes after those of the kinds in `NEEDS`."""
    return sorted(objects, key=lambda each: len(NEEDS.get(each["kind"], ())))


def logical_name(chart: str, manifest: Manifest) -> str:
    """The logical name of a rendered object of the chart with the logical name `chart`."""
    metadata = manifest["metadata"]
    path = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    return f"{chart}:{path}"


def type_token(manifest: Manifest) -> str:
    """Pulumi's type of a rendered object."""
    version = manifest["apiVersion"] if "/" in manifest["apiVersion"] else f"core/{manifest['apiVersion']}"
    return f"kubernetes:{version}:{manifest['kind']}"
