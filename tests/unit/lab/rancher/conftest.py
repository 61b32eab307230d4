"""Fixtures of the tests of the lab's Rancher."""

from pathlib import Path

import pytest

from tests.support.rancher_double import RancherDouble


@pytest.fixture
def server(tmp_path: Path) -> RancherDouble:
    """Return a new server."""
    return RancherDouble(tmp_path)


@pytest.fixture
def isolated(tmp_path: Path) -> RancherDouble:
    """Return a server with project network isolation in its clusters."""
    return RancherDouble(tmp_path, is_isolated=True)
