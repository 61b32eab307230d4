"""What the stand-in takes from a stack's files, and which stacks it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.engine.errors import EngineError
from lab.engine.stack import load

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.stack import Stack


def read(folder: Path, config: str, name: str = "lab") -> Stack:
    """Load a stack from the text of its config."""
    (folder / "Pulumi.yaml").write_text("name: mcsps\nruntime: python\nconfig:\n  mcsps:size: {default: 3}\n")
    (folder / f"Pulumi.{name}.yaml").write_text(f"config:\n{config}")
    return load(folder, name)


def test_config_comes_as_pulumi_hands_it_over(tmp_path: Path) -> None:
    """Objects as JSON, scalars as text, the project's defaults below, the engine's own keys left out."""
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
        ("  mcsps:clusters: [{name: east, access: {kind: rancher}}]\n", "lab", "cluster east: access by rancher"),
        ("  mcsps:a: 1\n", "mcsps-test", "stacks of the lab alone"),
        ("  mcsps:a: [\n", "lab", "not valid YAML"),
    ],
)
def test_what_needs_the_real_engine_is_refused(tmp_path: Path, config: str, name: str, named: str) -> None:
    """Secrets, Rancher and real stacks; the error says so."""
    with pytest.raises(EngineError, match=named):
        read(tmp_path, config, name)


def test_a_stack_without_a_file_is_named(tmp_path: Path) -> None:
    """With the file that is missing."""
    (tmp_path / "Pulumi.yaml").write_text("name: mcsps\n")
    with pytest.raises(EngineError, match=r"Pulumi\.lab\.yaml is not there"):
        load(tmp_path, "lab")
