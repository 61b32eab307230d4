"""Istio's Helm charts in one cluster, as plain data: the releases with their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesh import gateways, istio_values
from mesh.istio_values import ControlPlane, Values
from mesh.manifests import Manifest
from mesh.reader_rules import ReaderRights

BASE = "base"
ISTIOD = "istiod"


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
