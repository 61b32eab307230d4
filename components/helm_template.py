"""Renders charts by the function of Pulumi's Kubernetes provider that asks no cluster."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import InvokeOptions

from mesh import kubeconfigs, names
from mesh.istio_charts import ChartSource, Release, RenderedRelease
from mesh.manifests import Manifest

FUNCTION = "kubernetes:helm:template"


def make_renderer() -> k8s.Provider:
    """Register the provider that renders the charts of all clusters; it has no cluster to ask, so it waits for none."""
    return k8s.Provider("charts", kubeconfig=kubeconfigs.NO_CLUSTER, cluster_identifier="none")


async def render(
    renderer: k8s.Provider, releases: Mapping[str, Mapping[str, Release]]
) -> Mapping[str, Mapping[str, RenderedRelease]]:
    """
    Render the releases of each cluster by name, all at the same time; equal releases of several clusters once.

    Raises:
        Exception: A chart cannot be fetched or rendered.
    """
    options = {
        cluster: {name: _options(release) for name, release in each.items()} for cluster, each in releases.items()
    }
    distinct = list(dict.fromkeys(text for each in options.values() for text in each.values()))
    answers = await asyncio.gather(*(_render(renderer, text) for text in distinct))
    objects = dict(zip(distinct, answers, strict=True))
    return {
        cluster: {
            name: RenderedRelease(release=release, objects=objects[options[cluster][name]])
            for name, release in each.items()
        }
        for cluster, each in releases.items()
    }


async def _render(renderer: k8s.Provider, options: str) -> Sequence[Manifest]:
    answer = await pulumi.runtime.invoke_async(FUNCTION, {"jsonOpts": options}, InvokeOptions(provider=renderer))
    objects: Sequence[Manifest] = answer["result"]
    return objects


def _options(release: Release) -> str:
    options = {
        **_source_options(release.source),
        "namespace": names.ISTIO_NAMESPACE,
        "release_name": release.name,
        "values": release.values,
        **({"kube_version": release.kube_version} if release.kube_version else {}),
    }
    return json.dumps(options)


def _source_options(source: ChartSource) -> dict[str, Any]:
    if source.repository is not None:
        return {"chart": source.chart, "version": source.version, "fetch_opts": {"repo": source.repository}}
    if source.version is not None:
        return {"chart": source.chart, "version": source.version}
    folder, _, chart = source.chart.rpartition("/")
    return {"chart": chart, "path": folder}
