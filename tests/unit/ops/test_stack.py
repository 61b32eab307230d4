"""The config of a stack, read without Pulumi."""

import secrets
import stat
from pathlib import Path

import pytest

from errors import UserError
from ops import stack

STACK = """
config:
  kubernetes:context: other
  mcsps:mesh: {id: mesh1}
  mcsps:rancherToken: {secure: AAABANkOP}
  mcsps:clusters:
    - name: east
      network: network-east
      versions: [v1]
      access: {kind: kubeconfig, path: /nowhere}
"""


def write(root: Path, text: str = STACK, weight: str = "  mcsps:v2Weight: '0'\n") -> None:
    """Write a stack file into a project."""
    (root / "Pulumi.prod.yaml").write_text(text + weight)


def fake_pulumi(root: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `pulumi` first on the PATH."""
    (root / "bin").mkdir()
    program = root / "bin" / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(root / "bin"), prepend=":")


def test_plain_values_are_read_and_secrets_left_alone(tmp_path: Path) -> None:
    """Keys of other projects are ignored, and a number that Pulumi stored as text becomes a number."""
    write(tmp_path)
    chosen = stack.load("prod", tmp_path)
    assert (chosen.mesh.id, chosen.v2_weight) == ("mesh1", 0)


def test_a_stack_may_be_named_in_full(tmp_path: Path) -> None:
    """Pulumi's own option `--stack` accepts this form as well."""
    write(tmp_path)
    assert stack.load("organization/mcsps/prod", tmp_path).mesh.id == "mesh1"


@pytest.mark.parametrize("key", ["v2Weight", "mcsps:v2Weight"])
@pytest.mark.parametrize("declared", ["0", "{value: 0}", "{type: integer, default: 0}"])
def test_the_projects_defaults_count_where_the_stack_says_nothing(tmp_path: Path, key: str, declared: str) -> None:
    """Pulumi.yaml may declare a value or a default."""
    write(tmp_path, weight="")
    (tmp_path / "Pulumi.yaml").write_text(f"name: mcsps\nconfig:\n  {key}: {declared}\n")
    assert stack.load("prod", tmp_path).v2_weight == 0


def test_an_unknown_stack_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    """The user recognizes a misspelled name at once."""
    write(tmp_path)
    with pytest.raises(UserError, match=r"no stack 'prd' here: Pulumi.prd.yaml is missing. Name one of these: prod"):
        stack.load("prd", tmp_path)


def test_a_file_that_is_no_yaml_is_refused_by_line(tmp_path: Path) -> None:
    """The error contains no traceback."""
    write(tmp_path, text="config:\n  a: [\n", weight="")
    with pytest.raises(UserError, match=r"Pulumi.prod.yaml is not YAML, line \d"):
        stack.load("prod", tmp_path)


def test_values_that_cannot_work_are_refused_by_key(tmp_path: Path) -> None:
    """The error is the settings' own."""
    write(tmp_path, weight="  mcsps:v2Weight: 101\n")
    with pytest.raises(UserError, match="mcsps:v2Weight"):
        stack.load("prod", tmp_path)


def test_a_secret_is_decrypted_by_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the whole secret, without the line break at its end."""
    fake_pulumi(tmp_path, monkeypatch, 'echo "$@"')
    assert stack.secret("prod", "rancherToken", tmp_path) == (
        "config get mcsps:rancherToken --stack prod --non-interactive"
    )


def test_without_pulumi_a_secret_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the missing program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="and only Pulumi decrypts it"):
        stack.secret("prod", "rancherToken", tmp_path)


def test_a_refusal_of_pulumi_is_told_without_what_it_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output may contain the secret, so the error does not quote it."""
    token = secrets.token_hex(8)
    fake_pulumi(tmp_path, monkeypatch, f"echo {token}; echo 'error: incorrect passphrase' >&2; exit 255")
    with pytest.raises(UserError, match="incorrect passphrase") as caught:
        stack.secret("prod", "rancherToken", tmp_path)
    assert token not in str(caught.value)
