"""Renders charts by the function of Pulumi's Kubernetes provider that asks no cluster."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import InvokeOptions

from mesh import kubeconfigs, names
from mesh.istio_charts import ChartSource, Release, RenderedRelease

FUNCTION = "kubernetes:helm:template"


def make_renderer() -> k8s.Provider:
    """Register the provider that renders the charts of all clusters; it has no cluster to ask, so it waits for none."""
    return k8s.Provider("charts", kubeconfig=kubeconfigs.NO_CLUSTER, cluster_identifier="none")


async def render(renderer: k8s.Provider, releases: Mapping[str, Release]) -> Mapping[str, RenderedRelease]:
    """
    Render releases by name, all at the same time.

    Raises:
        Exception: A chart cannot be fetched or rendered.
    """
    rendered = await asyncio.gather(*(_render(renderer, release) for release in releases.values()))
    return dict(zip(releases, rendered, strict=True))


async def _render(renderer: k8s.Provider, release: Release) -> RenderedRelease:
    options = {
        **_source_options(release.source),
        "namespace": names.ISTIO_NAMESPACE,
        "release_name": release.name,
        "values": release.values,
        **({"kube_version": release.kube_version} if release.kube_version else {}),
    }
    answer = await pulumi.runtime.invoke_async(
        FUNCTION, {"jsonOpts": json.dumps(options)}, InvokeOptions(provider=renderer)
    )
    return RenderedRelease(release=release, objects=answer["result"])


def _source_options(source: ChartSource) -> dict[str, Any]:
    if source.repository is not None:
        return {"chart": source.chart, "version": source.version, "fetch_opts": {"repo": source.repository}}
    if source.version is not None:
        return {"chart": source.chart, "version": source.version}
    folder, _, chart = source.chart.rpartition("/")
    return {"chart": chart, "path": folder}
