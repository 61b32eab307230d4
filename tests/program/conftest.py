"""What the tests of the whole program share."""

import pytest

from tests.support.stacks import LAB, OPERATOR, RANCHER


@pytest.fixture(params=[LAB, RANCHER, OPERATOR])
def stack(request: pytest.FixtureRequest) -> str:
    """Both stack files and the one with the other installer, one after the other."""
    return str(request.param)
