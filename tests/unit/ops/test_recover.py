"""The command `python -m ops recover`, from a killed run's pending operations to the exit codes."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops import cli

NAMESPACE = {
    "urn": "urn:pulumi:prod::mcsps::kubernetes:core/v1:Namespace::east-sample",
    "type": "kubernetes:core/v1:Namespace",
    "inputs": {"metadata": {"name": "sample"}},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the project's folder; only the test's own `pulumi` can be on the PATH."""
    monkeypatch.setattr(cli, "_ROOT", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def pulumi(project: Path, *operations: object, code: int = 0) -> None:
    """Create a `pulumi` that exports a state with these pending operations."""
    state = {"deployment": {"resources": [], "pending_operations": operations}}
    (project / "state.json").write_text(json.dumps(state))
    program = project / "pulumi"
    program.write_text(f'#!/bin/sh\nif [ "$1 $2" = "stack export" ]; then cat state.json; else exit {code}; fi\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def recover() -> tuple[int, str]:
    """Return the exit code and standard error."""
    done = CliRunner().invoke(cli.app, ["recover", "--stack", "prod"])
    assert done.exception is None or isinstance(done.exception, SystemExit), "a traceback reached the person"
    assert done.stdout == ""
    return done.exit_code, done.stderr


def test_what_was_pending_is_told_with_what_to_do_next(project: Path) -> None:
    """The output contains the URNs and their number."""
    pulumi(project, {"type": "creating", "resource": NAMESPACE})
    assert recover() == (0, f"settled: {NAMESPACE['urn']}\n1 settled; run `pulumi up` again\n")


def test_nothing_pending_is_well_too(project: Path) -> None:
    """A user can run the command at any time."""
    pulumi(project)
    assert recover() == (0, "nothing was pending\n")


def test_without_pulumi_it_ends_with_two(project: Path) -> None:
    """The error names the missing program."""
    del project  # it contains no `pulumi`
    assert recover() == (2, "error: pulumi is not on the PATH\nInstall it, or add its folder to the PATH\n")


def test_a_pulumi_that_fails_ends_with_two_and_the_lock_is_named(project: Path) -> None:
    """A killed run leaves its lock in a backend of files or objects."""
    pulumi(project, {"type": "creating", "resource": NAMESPACE}, code=255)
    code, told = recover()
    assert code == 2
    assert "`pulumi stack import --stack prod` failed with exit code 255" in told
    assert "`pulumi cancel --stack prod`" in told


def test_the_help_says_what_becomes_of_a_pending_create() -> None:
    """The object is deleted, because an adopted one would lose its field manager."""
    told = " ".join(CliRunner().invoke(cli.app, ["recover", "--help"]).stdout.split())
    assert "delete what it had begun to create" in told
    assert "adopt" not in told
