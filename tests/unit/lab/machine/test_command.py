"""What a person is told when one of the machine's commands fails."""

import pytest

from errors import UserError
from lab.machine.command import run


@pytest.mark.parametrize(
    ("said", "remedy"),
    [("ctr: write /x: no space left on device", "disk space"), ("ctr: failed to dial", "down clears a half-made lab")],
)
def test_a_command_that_fails_is_told_with_what_it_said_and_what_to_do(said: str, remedy: str) -> None:
    """Whatever ran out of disk says so in its own words."""
    with pytest.raises(UserError) as failure:
        run("sh", "-c", f"echo '{said}' >&2; exit 1")
    assert said in failure.value.message
    assert remedy in failure.value.remedy
