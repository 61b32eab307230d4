"""The function that renders charts: its command, its result, and a program that calls it."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from errors import UserError
from lab.build import toolchain
from lab.standin.display import Display
from lab.standin.providers import helm
from lab.standin.run import begin
from lab.standin.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from recorder.values import Properties

RENDERED = """
---
apiVersion: v1
kind: Service
metadata: {name: web}
---
# A disabled template.
---
notes: no object
---
apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: other}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
---
apiVersion: a.io/v1
kind: Thing
metadata: {name: thing}
"""
PROGRAM = """
import asyncio, json
import pulumi
import pulumi_kubernetes as k8s

charts = k8s.Provider("charts", kubeconfig=KUBECONFIG)

async def render(release):
    options = {"chart": "web", "path": "charts", "release_name": release, "namespace": "d"}
    result = await pulumi.runtime.invoke_async(
        "kubernetes:helm:template", {"jsonOpts": json.dumps(options)}, pulumi.InvokeOptions(provider=charts)
    )
    return [found["metadata"]["name"] for found in result["result"]]

async def main():
    pulumi.export("names", await asyncio.gather(render("one"), render("two")))

pulumi.run(main)
"""


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    """Return a double of helm, which records its arguments and its input."""
    (tmp_path / "rendered").write_text(RENDERED)
    made = tmp_path / "helm"
    made.write_text(
        '#!/bin/sh\nfolder=$(dirname "$0")\necho "$@" > "$folder/arguments"; cat > "$folder/values"\n'
        'cat "$folder/rendered"\n'
    )
    made.chmod(0o755)
    return made


def render(binary: Path, **options: object) -> list[Properties]:
    """Return the objects of a chart."""
    given = {"chart": "web", "path": "charts", "release_name": "shop", **options}
    objects: list[Properties] = helm.template({"jsonOpts": json.dumps(given)}, lambda: binary)["result"]
    return objects


def test_a_chart_becomes_objects_with_the_namespaces_that_pulumi_gives_them(binary: Path) -> None:
    """Without a cluster, Pulumi treats an unknown kind as namespaced."""
    objects = render(binary, namespace="d")
    assert [(found["kind"], found["metadata"].get("namespace")) for found in objects] == [
        ("Service", "d"),
        ("ConfigMap", "other"),
        ("ClusterRole", None),
        ("Thing", "d"),
    ]
    assert [found["metadata"].get("namespace") for found in render(binary)] == [None, "other", None, None]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (
            {"namespace": "d", "kube_version": "v1.35.4"},
            "template shop charts/web --namespace d --include-crds --values - --skip-tests --kube-version v1.35.4",
        ),
        (
            {"include_test_hook_resources": True},
            "template shop charts/web --namespace default --include-crds --values -",
        ),
        (
            {"path": None, "fetch_opts": {"repo": "https://c"}, "version": "1.2.3"},
            "template shop web --namespace default --include-crds --values - --skip-tests --version 1.2.3 --repo https://c",
        ),
        (
            {"path": None, "chart": "oci://r/web", "version": "1.2.3"},
            "template shop oci://r/web --namespace default --include-crds --values - --skip-tests --version 1.2.3",
        ),
    ],
)
def test_helm_gets_the_options_of_the_function(
    tmp_path: Path, binary: Path, options: Properties, arguments: str
) -> None:
    """Hooks are rendered except for tests. Values go to its input, which no other process can read."""
    render(binary, **{"values": {"a": {"b": 1}}, **options})
    assert (tmp_path / "arguments").read_text().strip() == arguments
    assert (tmp_path / "values").read_text() == '{"a": {"b": 1}}'


def test_options_that_are_not_understood_are_refused_by_name(binary: Path) -> None:
    """They would change the result."""
    with pytest.raises(UserError, match=r"fetch_opts\.username, skip_crd_rendering is not supported"):
        render(binary, skip_crd_rendering=True, fetch_opts={"repo": "https://x", "username": "y"})


def test_what_helm_cannot_render_names_chart_and_release(binary: Path) -> None:
    """The reason is helm's own."""
    binary.write_text("#!/bin/sh\ncat > /dev/null\necho 'no such chart' >&2\nexit 1\n")
    with pytest.raises(UserError, match="helm cannot render charts/web for shop: no such chart"):
        render(binary)


def run(folder: Path, text: str) -> str:
    """Run a program; return the output."""
    (folder / "__main__.py").write_text(text)
    output = io.StringIO()
    with begin(
        Stack("mcsps", "lab", {}), folder, folder / "state", Display(Console(file=output, width=500), as_json=False)
    ) as started:
        started.up()
    return output.getvalue()


def test_a_program_renders_its_charts_without_a_cluster(
    tmp_path: Path, binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It calls the function several times at once, with a provider that has no kubeconfig."""
    monkeypatch.setattr(toolchain, "ensure", lambda *_: SimpleNamespace(binary=lambda _name: binary))
    printed = run(tmp_path, PROGRAM.replace("KUBECONFIG", '"for rendering only"'))
    assert "failed" not in printed
    assert "names: [['web', 'elsewhere', 'reader', 'thing'], ['web', 'elsewhere', 'reader', 'thing']]" in printed


def test_a_chart_that_would_query_a_cluster_is_refused(tmp_path: Path) -> None:
    """Pulumi would render it for that cluster's version and kinds, which the stand-in does not."""
    kubeconfig = (
        "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], "
        "clusters: [{name: c, cluster: {server: 'https://198.18.0.11:6443'}}]}"
    )
    printed = run(tmp_path, PROGRAM.replace("KUBECONFIG", f'"{kubeconfig}"'))
    assert "kubernetes:helm:template with a cluster is not supported by the stand-in" in printed
