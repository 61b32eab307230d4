"""The errors for failed commands of the machine."""

import pytest

from errors import UserError
from lab.machine.command import run


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("ctr: write /x: no space left on device", "disk space"),
        ("ctr: failed to dial", "removes an incomplete lab"),
    ],
)
def test_a_command_that_fails_is_told_with_what_it_said_and_what_to_do(output: str, remedy: str) -> None:
    """Every program reports a full disk in its own words."""
    with pytest.raises(UserError) as failure:
        run("sh", "-c", f"echo '{output}' >&2; exit 1")
    assert output in failure.value.message
    assert remedy in failure.value.remedy
