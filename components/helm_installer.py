"""Istio from its Helm charts: one for the CRDs, one for istiod, and one for each gateway without its Service."""

from collections.abc import Sequence

from pulumi import Resource, ResourceOptions

from components.chart import Chart
from components.istio_install_args import HelmInstallerArgs, Readiness
from mesh import gateways
from mesh.istio_charts import BASE, ISTIOD


def install(parent: Resource, name: str, installer: HelmInstallerArgs, cacerts: Resource) -> Readiness:
    """Register the charts below `parent`."""

    def chart(release: str, *, after: Sequence[Resource]) -> Chart:
        return Chart(
            f"{name}-{release.removeprefix('istio-')}",
            installer.releases[release],
            ResourceOptions(parent=parent, depends_on=after),
            installer.crd_provider,
        )

    base = chart(BASE, after=[])
    istiod = chart(ISTIOD, after=[cacerts, base])
    charts = {gateway: chart(gateway.release, after=[istiod]) for gateway in gateways.GATEWAYS}
    # An API server that had a gateway's pod injected reaches the webhooks of istiod.
    return Readiness(injects=[istiod], accepts=[charts[gateways.EASTWEST]])
