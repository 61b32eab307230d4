"""
The lab for all e2e tests: started once, and left as it was found.

Most tests share one lab: modules run in the order of `PHASES`, engine by engine, and each changes what the one before
it deployed. A test that this machine cannot run is skipped with the reason; in CI, where `.ci/run` has installed
everything, it fails.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from errors import UserError
from lab import preflight
from lab.engines import MARK, Engine
from lab.spec import STATE_DIR, ClusterSpec, clusters, existing
from ops.cluster import connect
from ops.cluster.api import ClusterApi
from tests.e2e import machine, real_engine
from tests.e2e.checkout import ROOT, Checkout, run_module
from tests.e2e.machine import Machine
from tests.e2e.objects import Objects, held_by

PHASES = (
    # These take the lab down and up again.
    ("test_lab", "test_make"),
    # For each engine: those that need empty clusters, then those that change what is there.
    (
        "test_bad_input",
        "test_engines",
        "test_audiences",
        "test_changes_under_load",
        "test_istioctl",
        "test_breakages",
        "test_lost_cluster",
        "test_drill",
        "test_destroy",
        "test_soak",
    ),
    # Rancher stays where it once was, and writes into every namespace.
    ("test_rancher_access",),
    ("test_teardown",),
)
"""The modules that use the lab, in the order in which one life of it serves them all."""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Two clusters without a mesh."""

    clusters: tuple[ClusterSpec, ...]
    before: Machine | None
    """The machine without the lab; `None` if the lab was there already, and so is not ours to remove."""


def missing() -> str:
    """Return what this machine lacks; empty if it lacks nothing."""
    try:
        preflight.require_root()
        problems = [str(problem) for problem in preflight.missing_packages()]
    except UserError as error:
        return str(error)
    if not shutil.which("go"):
        problems.append("Go is not on the PATH. Install it from https://go.dev/dl/")
    return "; ".join(problems)


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two clusters; a lab that was down is down again at the end."""
    # The tests' own clients keep keys in temporary files, which must not pass for the lab's.
    tempfile.tempdir = str(tmp_path_factory.mktemp("own"))
    if reason := missing():
        if os.environ.get("CI") == "true":
            pytest.fail(f"this CI machine cannot run the lab: {reason}", pytrace=False)
        pytest.skip(f"this machine cannot run the lab: {reason}")
    if MARK.exists():
        pytest.fail(
            f"the lab holds a mesh that {MARK.read_text().strip()} made, and these tests start from empty clusters: "
            "python -m lab.deploy destroy",
            pytrace=False,
        )
    before = None if existing() else machine.look()
    try:
        # Building the clusters' programs takes minutes once, and its progress is for people.
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            subprocess.run([sys.executable, "-m", "lab", "up"], cwd=ROOT, check=True)
        yield Lab(clusters=clusters(2), before=before)
    finally:
        if before and STATE_DIR.exists():
            run_module(ROOT, "lab", "down").must_succeed()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """
    Sort the tests by phase, and leave to the nightly run what proves the same a second time.

    A test that is not marked `every_engine` is about the mesh and not about an engine: one engine is enough, and that
    is Pulumi where it is here.
    """
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    if any("engine" in _parameters(item) for item in ours):
        first = Engine.STAND_IN if real_engine.missing() else Engine.PULUMI
        for item in ours:
            if _parameters(item).get("engine", first) is not first and not item.get_closest_marker("every_engine"):
                item.add_marker(pytest.mark.nightly)
    yield
    # After pytest's own sorting, which groups by fixtures alone.
    items.sort(key=_stage)


def _parameters(item: pytest.Item) -> dict[str, Any]:
    found: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return found


def _stage(item: pytest.Item) -> tuple[int, int, int]:
    module = item.path.stem
    for phase, modules in enumerate(PHASES, start=1):
        if module in modules:
            # The stand-in first: what follows the engines runs on Pulumi, where it is here.
            is_pulumi = _parameters(item).get("engine") is Engine.PULUMI
            return phase, int(is_pulumi), modules.index(module)
    return 0, 0, 0


@pytest.fixture(scope="session", params=Engine, ids=str)
def engine(request: pytest.FixtureRequest, lab: Lab) -> Engine:
    """Each engine that is here."""
    del lab  # what holds for the whole machine is said first
    chosen = Engine(request.param)
    if chosen is Engine.PULUMI and (reason := real_engine.missing()):
        pytest.skip(f"the real engine is not here: {reason}")
    return chosen


@pytest.fixture(scope="session")
def objects_before(lab: Lab, engine: Engine) -> Iterator[dict[str, Objects]]:
    """Return each cluster's objects before any deployment, by cluster; destroy the deployment at the end."""
    yield {spec.name: held_by(spec) for spec in lab.clusters}
    destroy_all(engine)


@pytest.fixture(scope="module")
def empty_clusters(lab: Lab, engine: Engine, objects_before: dict[str, Objects]) -> tuple[ClusterSpec, ...]:
    """The clusters without a mesh."""
    del objects_before
    destroy_all(engine)
    return lab.clusters


@pytest.fixture(scope="module")
def checkout(objects_before: dict[str, Objects], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose stack file may be edited; what is deployed from it stays for the next module to change."""
    del objects_before  # taken first
    return Checkout(tmp_path_factory.mktemp("checkout"))


def destroy_all(engine: Engine) -> None:
    """Empty the clusters, whichever stack they hold."""
    if MARK.exists():
        _, stack = MARK.read_text().split()
        run_module(ROOT, "lab.deploy", "destroy", "--stack", stack, "--engine", engine).must_succeed()


@pytest.fixture(scope="module")
def apis(checkout: Checkout) -> dict[str, ClusterApi]:
    """Each cluster's API, by cluster."""
    return connect.connect(checkout.settings, "lab", Path(checkout.root))
