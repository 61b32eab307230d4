"""What all tests share."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Self

import pytest
from hypothesis import settings
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from config.preflight import rancher as rancher_preflight
from tests.support.runs import Runs

# An Output inside an f-string is then an error instead of a warning text that lands in a resource.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"

# Two busy cores make single examples slow now and then; that is no failure.
settings.register_profile("mcsps", deadline=None, print_blob=True)
settings.load_profile("mcsps")


def find_by_config(wanted: rancher_preflight.Wanted) -> Mapping[str, str]:
    """Take the server for one that has all that is wanted."""
    return {name: cluster.id or f"c-{name}" for name, cluster in wanted.clusters.items()}


class Today(datetime):
    """The day of all tests of what depends on it."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Give the same day, whatever the clock says."""
        return cls(2026, 11, 23, tzinfo=tz)


@pytest.fixture(scope="session", autouse=True)
def alone() -> Iterator[None]:
    """No test depends on a server that a stack file names, nor on the day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("config.preflight.rancher.look_up", find_by_config)
        patch.setattr("wiring.datetime", Today)
        yield


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
