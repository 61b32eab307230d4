"""
The lab for all e2e tests: brought up once, given back as it was found.

What a machine cannot do is skipped by name; in CI, where `.ci/run` has installed what is needed, it is a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from errors import UserError
from lab import preflight
from lab.deploy import MARK, Engine
from lab.spec import STATE_DIR, ClusterSpec, clusters, existing
from ops.cluster import connect
from ops.cluster.api import ClusterApi
from tests.e2e import machine, real_engine
from tests.e2e.checkout import ROOT, Checkout, run_module
from tests.e2e.machine import Machine
from tests.e2e.objects import Objects, held_by


@dataclass(frozen=True, kw_only=True)
class Lab:
    """Two clusters without a mesh."""

    clusters: tuple[ClusterSpec, ...]
    before: Machine | None
    """The machine without the lab; `None` if the lab was there already, and so is not ours to remove."""


def missing() -> str:
    """Say what this machine lacks; empty if nothing."""
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


@pytest.fixture(scope="module", params=Engine, ids=str)
def engine(request: pytest.FixtureRequest, lab: Lab) -> Engine:
    """Each engine that is here."""
    del lab  # what holds for the whole machine is said first
    chosen = Engine(request.param)
    if chosen is Engine.PULUMI and (reason := real_engine.missing()):
        pytest.skip(f"the real engine is not here: {reason}")
    return chosen


@pytest.fixture(scope="module")
def objects_before(lab: Lab, engine: Engine) -> dict[str, Objects]:
    """What each cluster holds before anything is deployed, by cluster."""
    del engine  # asked again for each
    return {spec.name: held_by(spec) for spec in lab.clusters}


@pytest.fixture(scope="module")
def checkout(lab: Lab, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose stack file may be edited; whatever was deployed from it is destroyed at the end."""
    del lab
    copy = Checkout(tmp_path_factory.mktemp("checkout"))
    yield copy
    if MARK.exists():
        copy.deploy("destroy", engine).must_succeed()


@pytest.fixture(scope="module")
def apis(checkout: Checkout) -> dict[str, ClusterApi]:
    """Each cluster's API, by cluster."""
    return connect.connect(checkout.settings, "lab", Path(checkout.root))
