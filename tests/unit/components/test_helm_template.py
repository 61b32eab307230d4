"""Charts are rendered without a query of a cluster."""

import json
from typing import Any

import pulumi
import pytest

from components import helm_template
from mesh.istio_charts import ChartSource, Release, RenderedRelease
from recorder.program import run_function
from recorder.values import Properties
from tests.support import recording
from tests.support.recording import RecordingMonitor


class RenderingMonitor(RecordingMonitor):
    """Keeps the arguments of each call of the function, and returns an object with the release's name."""

    def __init__(self) -> None:
        super().__init__(preview=True)
        self.calls: dict[str, dict[str, Any]] = {}
        self.rendered: list[str] = []
        self.providers: set[str] = set()

    def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
        """Keep the call."""
        assert token == "kubernetes:helm:template"  # noqa: S105 - a function
        options = json.loads(arguments["jsonOpts"])
        self.calls[options["release_name"]] = options
        self.rendered.append(options["release_name"])
        self.providers.add(provider.rpartition("::")[0])
        return {"result": [{"kind": "X", "metadata": {"name": options["release_name"]}}]}


def release(name: str, source: str = "/charts", *, kube_version: str | None = "v1.31.4") -> Release:
    """Return a release of the chart with its name."""
    return Release(
        name=name,
        source=ChartSource.of(source, name, "1.31.1"),
        values={"name": name},
        kube_version=kube_version,
    )


def render(*releases: Release) -> tuple[RenderingMonitor, dict[str, RenderedRelease]]:
    """Return the calls, and the rendered releases by name."""
    found: dict[str, RenderedRelease] = {}

    async def program() -> None:
        renderer = helm_template.make_renderer()
        answer = await helm_template.render(renderer, {"east": {each.name: each for each in releases}})
        found.update(answer["east"])

    monitor = RenderingMonitor()
    run_function(lambda: pulumi.run(program), monitor, {})
    return monitor, found


def test_each_release_gets_its_own_objects() -> None:
    """This holds when all are rendered at the same time."""
    _, found = render(release("base"), release("istiod"))
    assert {name: each.objects[0]["metadata"]["name"] for name, each in found.items()} == {
        "base": "base",
        "istiod": "istiod",
    }


def test_what_clusters_share_is_rendered_once() -> None:
    """An example is the CRDs, whose values contain no cluster. Another Kubernetes version needs its own rendering."""
    older = release("base", kube_version="v1.30.1")
    clusters = {
        "east": {"base": release("base"), "istiod": release("istiod")},
        "west": {"base": release("base")},
        "north": {"base": older},
    }
    found: dict[str, Any] = {}

    async def program() -> None:
        found.update(await helm_template.render(helm_template.make_renderer(), clusters))

    monitor = RenderingMonitor()
    run_function(lambda: pulumi.run(program), monitor, {})
    assert sorted(monitor.rendered) == ["base", "base", "istiod"]
    assert {cluster: list(each) for cluster, each in found.items()} == {
        cluster: list(each) for cluster, each in clusters.items()
    }
    assert found["north"]["base"].release is older


def test_the_function_gets_values_namespace_and_the_clusters_version() -> None:
    """The version is set explicitly, because the provider has no cluster to query."""
    monitor, _ = render(release("istiod"))
    call = monitor.calls["istiod"]
    assert (call["values"], call["namespace"], call["kube_version"]) == ({"name": "istiod"}, "istio-system", "v1.31.4")


def test_a_cluster_that_is_away_has_no_version() -> None:
    """Helm then uses its default version."""
    monitor, _ = render(release("istiod", kube_version=None))
    assert "kube_version" not in monitor.calls["istiod"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/srv/charts", {"chart": "base", "path": "/srv/charts"}),
        ("oci://r.example/x", {"chart": "oci://r.example/x/base", "version": "1.31.1"}),
        (
            "https://c.example/x",
            {"chart": "base", "version": "1.31.1", "fetch_opts": {"repo": "https://c.example/x"}},
        ),
    ],
)
def test_the_function_finds_the_chart_in_each_kind_of_source(source: str, expected: dict[str, Any]) -> None:
    """The source is expressed in the arguments of the function."""
    monitor, _ = render(release("base", source))
    call = monitor.calls["base"]
    assert {key: call[key] for key in ("chart", "path", "version", "fetch_opts") if key in call} == expected


def test_the_renderer_has_a_kubeconfig_without_a_cluster() -> None:
    """Otherwise it would use the kubeconfig of the user's shell, and wait for that cluster."""
    monitor, _ = render(release("base"))
    provider = monitor.find(recording.KUBERNETES_PROVIDER, "charts")
    assert json.loads(provider.inputs["kubeconfig"])["clusters"] == []
    assert monitor.providers == {provider.urn}
