"""The stack files that the stand-in reads, and the stacks that it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from errors import UserError
from lab.standin.__main__ import app
from lab.standin.stack import load

if TYPE_CHECKING:
    from pathlib import Path

    from lab.standin.stack import Stack


def read(folder: Path, config: str, name: str = "lab", secrets: tuple[str, ...] = ()) -> Stack:
    """Load a stack from the text of its config."""
    (folder / "Pulumi.yaml").write_text("name: mcsps\nruntime: python\nconfig:\n  mcsps:size: {default: 3}\n")
    (folder / f"Pulumi.{name}.yaml").write_text(f"config:\n{config}")
    return load(folder, name, secrets)


def test_config_comes_as_pulumi_hands_it_over(tmp_path: Path) -> None:
    """Objects are JSON, scalars are text, the project's defaults apply, and the engine's keys are omitted."""
    text = "  mcsps:mesh: {id: m}\n  mcsps:v2Weight: 10\n  mcsps:on: true\n  pulumi:disable-default-providers: ['*']\n"
    stack = read(tmp_path, text)
    assert stack.project == "mcsps"
    assert json.loads(stack.config["mcsps:mesh"]) == {"id": "m"}
    assert {key: stack.config[key] for key in ("mcsps:v2Weight", "mcsps:on", "mcsps:size")} == {
        "mcsps:v2Weight": "10",
        "mcsps:on": "true",
        "mcsps:size": "3",
    }
    assert len(stack.config) == 4


@pytest.mark.parametrize(
    ("config", "name", "named"),
    [
        ("  mcsps:root: {secure: AAA}\n", "lab", "mcsps:root is encrypted"),
        ("  mcsps:a: [{b: {secure: AAA}}]\n", "lab", "mcsps:a is encrypted"),
        ("  mcsps:a: 1\n", "mcsps-test", "only stacks of the lab"),
        ("  mcsps:a: [\n", "lab", "is not YAML, line 3"),
    ],
)
def test_what_needs_the_real_engine_is_refused(tmp_path: Path, config: str, name: str, named: str) -> None:
    """The stand-in refuses encrypted values and real stacks."""
    with pytest.raises(UserError, match=named):
        read(tmp_path, config, name)


def test_a_stack_without_a_file_is_named(tmp_path: Path) -> None:
    """The error names the missing file."""
    (tmp_path / "Pulumi.yaml").write_text("name: mcsps\n")
    with pytest.raises(UserError, match=r"Pulumi\.lab\.yaml cannot be read: No such file or directory"):
        load(tmp_path, "lab")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Return a file with a token that only its owner can read."""
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text("token-a:hunter2\n")
    return file


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_comes_from_a_file_of_its_own(tmp_path: Path, token_file: Path, mode: int) -> None:
    """The value has no line end, is separate from the plain config, and has priority over an encrypted value."""
    token_file.chmod(mode)
    config = "  mcsps:a: 1\n  mcsps:rancherToken: {secure: AAA}\n"
    stack = read(tmp_path, config, secrets=(f"rancherToken={token_file}",))
    assert stack.secrets == {"mcsps:rancherToken": "token-a:hunter2"}
    assert stack.config == {"mcsps:a": "1", "mcsps:size": "3"}
    assert "hunter2" not in repr(stack)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700, 0o644])
def test_a_secret_that_others_may_get_at_is_refused(tmp_path: Path, token_file: Path, mode: int) -> None:
    """The error contains the remedy, and does not quote the secret."""
    token_file.chmod(mode)
    with pytest.raises(UserError) as raised:
        read(tmp_path, "  mcsps:a: 1\n", secrets=(f"mcsps:rancherToken={token_file}",))
    text = str(raised.value)
    assert text.startswith(f"--secret mcsps:rancherToken: {token_file} has mode {mode:04o}; ")
    assert text.endswith(f"allowed: 0600 or stricter. Run: chmod 600 {token_file}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mcsps:rancherToken", "the value is not KEY=FILE"),
        ("=file", "the value is not KEY=FILE"),
        ("mcsps:rancherToken=", "the value is not KEY=FILE"),
        ("mcsps:rancherToken=token-a:hunter2", "mcsps:rancherToken: the file cannot be read: No such file"),
        ("mcsps:rancherToken={folder}", "the file cannot be read: Is a directory"),
        ("mcsps:rancherToken={folder}/empty", "empty is empty"),
        ("mcsps:rancherToken={folder}/binary", "binary is not text"),
    ],
)
def test_a_secret_that_is_not_in_a_file_is_refused(tmp_path: Path, given: str, message: str) -> None:
    """The value may be the secret itself, so the error does not quote it."""
    for name, content in (("empty", b"\n"), ("binary", b"\xff")):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as raised:
        read(tmp_path, "  mcsps:a: 1\n", secrets=(given.format(folder=tmp_path),))
    assert "hunter2" not in str(raised.value)


def test_the_program_gets_a_secret_as_a_secret(
    tmp_path: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command has the option, and no line shows the secret."""
    (tmp_path / "__main__.py").write_text(
        "import pulumi\nfrom pulumi.runtime import config\n"
        'assert config.is_config_secret("mcsps:rancherToken") and not config.is_config_secret("mcsps:size")\n'
        'pulumi.export("token", "it is " + pulumi.Config("mcsps").require("rancherToken"))\n'
    )
    read(tmp_path, "  mcsps:a: 1\n")
    monkeypatch.chdir(tmp_path)
    for command in ("preview", "up", "destroy"):
        options = ["--stack", "lab", "--state-dir", str(tmp_path / "state"), "--secret", f"rancherToken={token_file}"]
        result = CliRunner().invoke(app, [command, *options])
        assert result.exit_code == 0, result.output
        assert ("it is [secret]" in result.output) is (command != "destroy")
        assert "hunter2" not in result.output


def test_a_value_of_the_command_line_stands_in_place_of_the_files(tmp_path: Path) -> None:
    """The key may have the project's prefix. All other values come from the file."""
    read(tmp_path, "  mcsps:v2Weight: 10\n  mcsps:mesh: {id: m}\n")
    stack = load(tmp_path, "lab", changes=["mcsps:v2Weight=20", 'clusters=[{"name": "east=1"}]'])
    assert stack.config == {
        "mcsps:size": "3",
        "mcsps:v2Weight": "20",
        "mcsps:mesh": '{"id": "m"}',
        "mcsps:clusters": '[{"name": "east=1"}]',
    }
    with pytest.raises(UserError, match=r"--config: the value is not KEY=VALUE\. Pass it as in mcsps:v2Weight=20"):
        load(tmp_path, "lab", changes=["v2Weight"])
