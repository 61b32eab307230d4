"""Runs of the whole program, each made once."""

import pytest

from tests.support.runs import Runs
from tests.support.stacks import LAB, RANCHER


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """One store for all tests."""
    return Runs(folder=tmp_path_factory.mktemp("kubeconfigs"))


@pytest.fixture(params=[LAB, RANCHER])
def stack(request: pytest.FixtureRequest) -> str:
    """Both stack files, one after the other."""
    return str(request.param)
