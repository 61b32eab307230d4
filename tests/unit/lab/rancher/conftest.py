"""What the tests of the lab's Rancher share."""

from pathlib import Path

import pytest

from tests.support.rancher_double import RancherDouble


@pytest.fixture
def server(tmp_path: Path) -> RancherDouble:
    """A server that has just been made."""
    return RancherDouble(tmp_path)


@pytest.fixture
def isolated(tmp_path: Path) -> RancherDouble:
    """A server whose clusters have project network isolation."""
    return RancherDouble(tmp_path, is_isolated=True)
