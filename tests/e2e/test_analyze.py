"""The pinned istioctl analyzes all objects of one cluster. These tests need no cluster."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.progress import Progress

from errors import UserError
from lab.build import toolchain
from tests.support import recording
from tests.support.inventory import plain
from tests.support.recording import RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, Stack

pytestmark = pytest.mark.e2e

Manifest = Mapping[str, Any]
TEAM = {"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}}
EUROPE = {"name": "europe", "version": "v1", "region": "eu"}
LEFT_ALONE = "Info"
"""The level of istioctl's informational messages, such as that a gateway has no TLS."""


@pytest.fixture(scope="module")
def tools() -> toolchain.Toolchain:
    """Return the lab's tools in their pinned versions."""
    try:
        return toolchain.ensure(Progress(disable=True), "helm", "istioctl")
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=["plain", "with audiences and failover"])
def monitor(request: pytest.FixtureRequest, runs: Runs, tools: toolchain.Toolchain) -> RecordingMonitor:
    """Return a run of the program, once with its plain routing and once with everything that changes it."""
    stack = runs.stack(LAB)
    stack = stack.changed(istio={**stack.values["istio"], "charts": str(tools.charts)})
    return (stack if request.param == "plain" else with_all(stack)).run()


def with_all(stack: Stack) -> Stack:
    """Return a stack of two regions that run both versions, with an audience for a team and one for a region."""
    clusters = [
        {**cluster, "versions": ["v1", "v2"], "locality": {"region": region}}
        for cluster, region in zip(stack.values["clusters"], ("eu", "us"), strict=True)
    ]
    return stack.changed(clusters=clusters, audiences=[TEAM, EUROPE])


@pytest.mark.parametrize("cluster", ["east", "west"])
def test_istioctl_finds_no_fault(
    monitor: RecordingMonitor, tools: toolchain.Toolchain, tmp_path: Path, cluster: str
) -> None:
    """The program's own objects and those of its charts are analyzed together."""
    manifests = [*own(monitor, cluster), *rendered(monitor, tools, cluster, tmp_path)]
    assert {"Deployment", "Gateway", "VirtualService"} <= {each["kind"] for each in manifests}
    assert analyze(tools, tmp_path, manifests) == []


def test_istioctl_finds_a_fault_that_is_there(
    monitor: RecordingMonitor, tools: toolchain.Toolchain, tmp_path: Path
) -> None:
    """The routes refer to subsets that no rule defines. This proves that the test above can fail."""
    manifests = [each for each in own(monitor, "east") if each["kind"] != "DestinationRule"]
    assert "IST0101" in {found["code"] for found in analyze(tools, tmp_path, manifests)}


def own(monitor: RecordingMonitor, cluster: str) -> Iterator[Manifest]:
    """Yield the objects that the program itself registers for a cluster."""
    for found in monitor.recorded:
        inputs = plain(found.inputs)
        if monitor.provider_name(found) == f"{cluster}-kubernetes" and "apiVersion" in inputs:
            # istioctl reads the fields of Istio's objects, and no data of Secrets.
            yield {key: value for key, value in inputs.items() if key != "stringData"}


def rendered(monitor: RecordingMonitor, tools: toolchain.Toolchain, cluster: str, folder: Path) -> Iterator[Manifest]:
    """Return the objects of a cluster's charts, except for definitions."""
    for chart in monitor.find_all(recording.CHART):
        if not chart.name.startswith(f"{cluster}-"):
            continue
        inputs = plain(chart.inputs)
        values = folder / f"{chart.name}.json"
        values.write_text(json.dumps(inputs["values"]))
        command = (str(tools.binary("helm")), "template", inputs["name"], inputs["chart"])
        text = run(*command, f"--namespace={inputs['namespace']}", f"--values={values}")
        yield from filter(None, yaml.safe_load_all(text))


def analyze(tools: toolchain.Toolchain, folder: Path, manifests: list[Manifest]) -> list[dict[str, Any]]:
    """Return istioctl's messages about these objects, as if no others existed."""
    file = folder / "cluster.yaml"
    file.write_text(yaml.safe_dump_all(manifests))
    command = (str(tools.binary("istioctl")), "analyze", "--all-namespaces", "--use-kube=false", "--output=json")
    found: list[dict[str, Any]] = json.loads(run(*command, "--failure-threshold=Error", str(file)) or "[]")
    return [each for each in found if each["level"] != LEFT_ALONE]


def run(*command: str) -> str:
    """Run a program to its end, and return its output for any exit code."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - the lab's own programs
    assert done.stdout, done.stderr
    return done.stdout
