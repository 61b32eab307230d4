"""The stand-in's command line: its exit codes and its output."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.standin.__main__ import app

PROGRAM = """
import pulumi, pulumi_random
pulumi_random.RandomId("id", byte_length=pulumi.Config("mcsps").require_int("bytes"))
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a project with one resource in the current folder."""
    (tmp_path / "Pulumi.yaml").write_text("name: mcsps\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    configure(tmp_path, 8)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(project: Path, size: object) -> None:
    """Set the only value of the stack's config."""
    (project / "Pulumi.lab.yaml").write_text(f"config:\n  mcsps:bytes: {size}\n")


def run(*arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and its output."""
    done = CliRunner().invoke(app, [*arguments, "--stack", "lab", "--state-dir", "state"])
    return done.exit_code, done.output


def test_changes_that_were_not_expected_have_an_exit_code_of_their_own(project: Path) -> None:
    """It is Pulumi's code, and differs from those of success and of failure."""
    assert run("preview")[0] == 0
    assert run("preview", "--expect-no-changes")[0] == 7
    assert run("up")[0] == 0
    assert run("preview", "--expect-no-changes")[0] == 0
    configure(project, "many")
    assert run("preview", "--expect-no-changes")[0] == 1
    assert run("up")[0] == 1
    assert run("up", "--config", "bytes=8")[0] == 0


def test_a_policy_pack_is_said_not_to_be_run() -> None:
    """The message contains its name, and appears only if a pack is requested."""
    code, said = run("preview", "--policy-pack", "policies", "--policy-pack-config", "policies/lab.json")
    assert code == 0
    assert "the policy pack policies was not run: only Pulumi runs policies" in said
    assert "polic" not in run("preview")[1]
