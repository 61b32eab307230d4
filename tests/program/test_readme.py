"""What the README names is there."""

import re

import pytest

from lab.cli import app as lab
from ops.__main__ import app as ops
from ops.causes import Cause
from tests.support.stacks import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TOOLS = {"lab": lab, "ops": ops}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z0-9]+)\b", README)) - {"it"}))
def test_every_make_target_is_one(target: str) -> None:
    """And says what it is for in `make help`."""
    assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize(("tool", "command"), sorted(set(re.findall(r"python -m (lab|ops)\s+([a-z]+)", README))))
def test_every_command_is_one(tool: str, command: str) -> None:
    """Of the tool that it is said to be of."""
    known = {info.name or (info.callback.__name__ if info.callback else "") for info in TOOLS[tool].registered_commands}
    assert command in known


def test_every_cause_that_verify_can_name_is_explained() -> None:
    """In the words in which `verify` names it."""
    explained = re.findall(r"^\| ([^|]+) \|", README, re.MULTILINE)
    assert {str(cause) for cause in Cause} <= set(explained)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:docs|lab|tests|components|ops|bench)/[\w./-]*|\w+\.py)`", README)))
)
def test_every_path_is_there(path: str) -> None:
    """Folders and files alike."""
    assert (ROOT / path).exists()
