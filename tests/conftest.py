"""Fixtures and settings of all tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.runs import Runs

PROGRAM = Path(__file__).with_name("program")

# An Output in an f-string is then an error instead of a text in a resource.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"

# On two busy cores, single examples may be slow, which is no failure.
settings.register_profile("mcsps", deadline=None, print_blob=True)
settings.register_profile("nightly", settings.get_profile("mcsps"), max_examples=2000)
settings.load_profile("mcsps")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Disable coverage for recordings of the whole program.

    Tracing doubles their time, and they run no line that unit tests do not run.
    """
    for item in items:
        if isinstance(item, pytest.Function) and item.path.parent == PROGRAM and "runs" in item.fixturenames:
            item.add_marker("no_cover")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """
    Restore the signals that end this process and the ones that tests start.

    A shell without job control ignores SIGINT for background processes, `nohup` ignores SIGHUP, and every child process
    inherits that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return the snapshot assertion with JSON files, one for each assertion."""
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.fixture(params=[True, False], ids=["preview", "update"])
def preview(request: pytest.FixtureRequest) -> bool:
    """Return whether the program previews; each test runs in both modes."""
    return bool(request.param)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return the recordings of the whole program, which all tests share."""
    return Runs(folder=tmp_path_factory.mktemp("kubeconfigs"))
