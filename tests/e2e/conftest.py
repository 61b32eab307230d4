"""
The lab for all e2e tests. It is started once, and removed if it was not running before.

Most tests share one lab. The modules run in the order of `PHASES` for each engine, and each changes the deployment of
the one before it. A test that this machine cannot run is skipped with the reason. In CI it fails instead, because
`.ci/run` has installed everything there.
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
    # These modules take the lab down and start it again.
    ("test_lab", "test_make"),
    # For each engine, the modules that need empty clusters run first; later ones change what is deployed.
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
    # Rancher runs until the end of the lab, and writes into every namespace.
    ("test_rancher_access",),
    ("test_teardown",),
)
"""The modules that use the lab, in the order in which one lab serves them all."""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Two clusters without a mesh."""

    clusters: tuple[ClusterSpec, ...]
    before: Machine | None
    """The machine without the lab. It is `None` if the lab was already running; then the tests do not remove it."""


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
    """Yield two clusters. If the lab was not running before, it is removed at the end."""
    # The tests' own clients keep keys in temporary files. A folder of their own separates them from the lab's files.
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
        # The first build of the clusters' programs takes minutes, so its progress is shown.
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
    Sort the tests by phase, and mark those as nightly that prove the same with a second engine.

    A test without the mark `every_engine` is about the mesh and not about an engine, so one engine is enough. This is
    Pulumi if it is installed.
    """
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    if any("engine" in _parameters(item) for item in ours):
        first = Engine.STAND_IN if real_engine.missing() else Engine.PULUMI
        for item in ours:
            if _parameters(item).get("engine", first) is not first and not item.get_closest_marker("every_engine"):
                item.add_marker(pytest.mark.nightly)
    yield
    # This runs after pytest's own sorting, which groups only by fixtures.
    items.sort(key=_stage)


def _parameters(item: pytest.Item) -> dict[str, Any]:
    found: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return found


def _stage(item: pytest.Item) -> tuple[int, int, int]:
    module = item.path.stem
    for phase, modules in enumerate(PHASES, start=1):
        if module in modules:
            # The stand-in runs first. The modules after the engines' then use Pulumi if it is installed.
            is_pulumi = _parameters(item).get("engine") is Engine.PULUMI
            return phase, int(is_pulumi), modules.index(module)
    return 0, 0, 0


@pytest.fixture(scope="session", params=Engine, ids=str)
def engine(request: pytest.FixtureRequest, lab: Lab) -> Engine:
    """Return each installed engine."""
    del lab  # a problem of the whole machine is reported first
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
    """Return the clusters after their mesh was destroyed."""
    del objects_before
    destroy_all(engine)
    return lab.clusters


@pytest.fixture(scope="module")
def checkout(objects_before: dict[str, Objects], tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout whose stack file may be edited. Its deployment remains for the next module."""
    del objects_before  # listed before the deployment
    return Checkout(tmp_path_factory.mktemp("checkout"))


def destroy_all(engine: Engine) -> None:
    """Destroy the deployed stack, whichever it is."""
    if MARK.exists():
        _, stack = MARK.read_text().split()
        run_module(ROOT, "lab.deploy", "destroy", "--stack", stack, "--engine", engine).must_succeed()


@pytest.fixture(scope="module")
def apis(checkout: Checkout) -> dict[str, ClusterApi]:
    """Return each cluster's API by the cluster's name."""
    return connect.connect(checkout.settings, "lab", Path(checkout.root))
