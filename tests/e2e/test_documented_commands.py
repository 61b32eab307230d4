"""Compares the `pulumi` commands in the guide with the command line. The test is skipped without `pulumi`."""

import re
import shlex
import shutil
import subprocess

import pytest

from tests.support.pages import commands

pytestmark = pytest.mark.e2e

PULUMI = shutil.which("pulumi")


@pytest.mark.skipif(PULUMI is None, reason="pulumi is not on the PATH")
@pytest.mark.parametrize("command", [command for command in commands() if command.startswith("pulumi ")])
def test_pulumi_knows_every_command_and_option(command: str) -> None:
    """The help of each command lists each option."""
    words = shlex.split(command)[1:]
    options = [word for word in words if word.startswith("--")]
    names = words[: words.index(options[0])] if options else words
    # The words after the command's name are its arguments, such as in `stack init NAME` and `config set KEY VALUE`.
    names = names[: 2 if names[0] in {"config", "stack"} else 1]
    done = subprocess.run(  # noqa: S603 - help alone
        [str(PULUMI), *names, "--help"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "[command]" not in done.stdout, "the help of the group: it knows no such command"
    assert [option for option in options if not re.search(rf"{option}\b", done.stdout)] == []
