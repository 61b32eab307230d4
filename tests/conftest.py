"""What all tests share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.runs import Runs

PROGRAM = Path(__file__).with_name("program")

# An Output inside an f-string is then an error instead of a warning text that lands in a resource.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"

# Two busy cores make single examples slow now and then; that is no failure.
settings.register_profile("mcsps", deadline=None, print_blob=True)
settings.load_profile("mcsps")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Trace no recording of the whole program for coverage.

    Tracing doubles its time, and it runs no line that no unit test runs.
    """
    for item in items:
        if isinstance(item, pytest.Function) and item.path.parent == PROGRAM and "runs" in item.fixturenames:
            item.add_marker("no_cover")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """
    Signals end this process and the ones that tests start.

    A shell without job control starts what runs in the background with SIGINT ignored, `nohup` does so with SIGHUP,
    and every child inherits that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Snapshots are JSON files, one for each assertion."""
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def preview(request: pytest.FixtureRequest) -> bool:
    """Both modes of the engine, one after the other."""
    return bool(request.param)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """One store of recordings of the whole program for all tests."""
    return Runs(folder=tmp_path_factory.mktemp("kubeconfigs"))
