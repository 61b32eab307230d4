"""Istio from its Helm charts: one for the CRDs, one for istiod, and one for each gateway without its Service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.helm.v4 import Chart

from components.istio_install_args import HelmInstallerArgs, IstioInstallArgs
from mesh import gateways, istio_values, names


@dataclass(frozen=True, kw_only=True)
class _Release:
    name: str
    chart: str
    values: Mapping[str, Any]
    provider: k8s.Provider | None = None


def install(
    parent: Resource, name: str, args: IstioInstallArgs, installer: HelmInstallerArgs, cacerts: Resource
) -> Resource:
    """Register the charts below `parent`, and return the resource that is ready when the east-west gateway is."""

    def chart(release: _Release, *, after: list[Resource]) -> Chart:
        source = istio_values.chart_source(installer.charts, release.chart, installer.chart_version)
        return Chart(
            f"{name}-{release.name.removeprefix('istio-')}",
            name=release.name,
            namespace=names.ISTIO_NAMESPACE,
            chart=source.chart,
            version=source.version,
            repository_opts={"repo": source.repository} if source.repository else None,
            values=release.values,
            opts=ResourceOptions(parent=parent, provider=release.provider, depends_on=after),
        )

    base = chart(
        _Release(name="base", chart="base", values=_base_values(installer), provider=installer.crd_provider), after=[]
    )
    istiod = chart(
        _Release(name="istiod", chart="istiod", values=_istiod_values(args, installer)), after=[cacerts, base]
    )
    charts = {
        gateway: chart(
            _Release(name=gateway.release, chart="gateway", values=_gateway_values(args, installer, gateway)),
            after=[istiod],
        )
        for gateway in gateways.GATEWAYS
    }
    return charts[gateways.EASTWEST]


def _base_values(installer: HelmInstallerArgs) -> Mapping[str, Any]:
    return istio_values.merge(istio_values.base_values(), installer.values["base"])


def _istiod_values(args: IstioInstallArgs, installer: HelmInstallerArgs) -> Mapping[str, Any]:
    values = istio_values.istiod_values(args.control_plane, installer.peer_rights)
    return istio_values.merge(values, installer.values["istiod"])


def _gateway_values(
    args: IstioInstallArgs, installer: HelmInstallerArgs, gateway: gateways.Gateway
) -> Mapping[str, Any]:
    values = istio_values.gateway_values(
        network_gateway=gateway.network(args.control_plane.network),
        locality=installer.gateway_locality,
        timeout_seconds=args.control_plane.timeout_seconds,
    )
    return istio_values.merge(values, installer.values["gateway"])
