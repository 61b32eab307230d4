"""The objects of one rendered chart in one cluster."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Resource, ResourceOptions

from mesh import manifests, names
from mesh.istio_charts import ChartSource, RenderedRelease
from mesh.manifests import Manifest


class Chart(pulumi.ComponentResource):
    """
    A release of a chart, with a resource for each of its objects.

    It has the type and the children of `kubernetes.helm.v4.Chart`, so a stack of that resource keeps its URNs
    (docs/adr/0016).
    """

    def __init__(
        self, name: str, rendered: RenderedRelease, opts: ResourceOptions, crd_provider: k8s.Provider | None = None
    ) -> None:
        """
        Register the objects.

        Args:
            name: The logical name, and the start of the objects' logical names.
            rendered: The release and its objects.
            opts: With the cluster's provider.
            crd_provider: The provider for CRDs; by default the cluster's.
        """
        super().__init__("kubernetes:helm.sh/v4:Chart", name, _inputs(rendered), opts)
        registered: list[tuple[str, Resource]] = []
        for manifest in manifests.prepare(rendered.objects):
            kind = manifest["kind"]
            needs = manifests.NEEDS.get(kind, frozenset())
            resource = _object(
                name,
                manifest,
                ResourceOptions(
                    parent=self,
                    provider=crd_provider if kind == manifests.CRD else None,
                    depends_on=[resource for needed, resource in registered if needed in needs],
                    retain_on_delete=manifests.is_kept(manifest) or None,
                ),
            )
            registered.append((kind, resource))
        self.register_outputs({})


def _object(chart: str, manifest: Manifest, opts: ResourceOptions) -> Resource:
    # The class of a kind would add nothing but its type: the chart's fields have the API's own names.
    return pulumi.CustomResource(
        manifests.type_token(manifest), manifests.logical_name(chart, manifest), dict(manifest), opts
    )


def _inputs(rendered: RenderedRelease) -> Mapping[str, Any]:
    source: ChartSource = rendered.release.source
    inputs = {
        "name": rendered.release.name,
        "namespace": names.ISTIO_NAMESPACE,
        "chart": source.chart,
        "version": source.version,
        "repositoryOpts": {"repo": source.repository} if source.repository else None,
        "values": rendered.release.values,
    }
    return {key: value for key, value in inputs.items() if value is not None}
