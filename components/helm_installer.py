"""Istio from its Helm charts: one for the CRDs, one for istiod, and one for each gateway without its Service."""

from pulumi import Resource, ResourceOptions

from components.chart import Chart
from components.istio_install_args import HelmInstallerArgs
from mesh import gateways
from mesh.istio_charts import BASE, ISTIOD


def install(parent: Resource, name: str, installer: HelmInstallerArgs, cacerts: Resource) -> Resource:
    """Register the charts below `parent`, and return the resource that is ready when the east-west gateway is."""

    def chart(release: str, *, after: list[Resource]) -> Chart:
        return Chart(
            f"{name}-{release.removeprefix('istio-')}",
            installer.releases[release],
            ResourceOptions(parent=parent, depends_on=after),
            installer.crd_provider,
        )

    base = chart(BASE, after=[])
    istiod = chart(ISTIOD, after=[cacerts, base])
    charts = {gateway: chart(gateway.release, after=[istiod]) for gateway in gateways.GATEWAYS}
    return charts[gateways.EASTWEST]
