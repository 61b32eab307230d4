"""The shared fixtures of the tests of the whole program."""

import pytest

from tests.support.stacks import LAB, OPERATOR, RANCHER


@pytest.fixture(params=[LAB, RANCHER, OPERATOR])
def stack(request: pytest.FixtureRequest) -> str:
    """Return each stack in sequence: both stack files, and the one with the other installer."""
    return str(request.param)
