"""What the tests of the whole program share."""

import pytest

from tests.support.stacks import LAB, RANCHER


@pytest.fixture(params=[LAB, RANCHER])
def stack(request: pytest.FixtureRequest) -> str:
    """Both stack files, one after the other."""
    return str(request.param)
