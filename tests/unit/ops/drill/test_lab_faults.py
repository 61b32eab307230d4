"""How a drill runs `up` on the lab."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from errors import UserError
from lab import deploy, engines, stacks
from lab.deploy import Command
from ops.drill import lab_faults
from ops.drill.absence import Updates


@dataclass
class Deployments:
    """Records the deployments instead of running them."""

    code: int = 0
    made: list[stacks.LabStack] = field(default_factory=list)

    def deploy(
        self, command: Command, stack: stacks.LabStack, engine: None, arguments: list[str], *rest: int | None
    ) -> int:
        """Record the stack. The arguments request the same engine, the held lock, and standard error as output."""
        assert (command, engine, arguments, *rest) == (Command.UP, None, [], 7, 2)
        self.made.append(stack)
        return self.code


@pytest.fixture
def deployments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployments:
    """Return a lab that holds stack `lab` and deploys nothing."""
    nothing = Deployments()
    monkeypatch.setattr(deploy, "deploy", nothing.deploy)
    monkeypatch.setattr(lab_faults, "sys", SimpleNamespace(stderr=SimpleNamespace(fileno=lambda: 2)))
    monkeypatch.setattr(engines, "MARK", tmp_path / "mark")
    engines.MARK.write_text("pulumi lab")
    return nothing


def updates(stack: str = "lab") -> Updates:
    """Return the updates of a stack, with descriptor 7 as the lab's lock."""
    return lab_faults.HeldLab(faults=None, descriptor=7).updates(stack)  # type: ignore[arg-type]


def test_an_up_deploys_the_stack_with_other_values_and_leaves_its_file(deployments: Deployments) -> None:
    """The engine's output does not go to standard output, which is for the report."""
    file = stacks.ROOT / "Pulumi.lab.yaml"
    before = file.read_text()
    updates().up({"v2Weight": 7})
    updates().up({})
    changed, same = deployments.made
    assert changed.document["config"]["mcsps:v2Weight"] == 7
    assert same == stacks.read_stack("lab")
    assert file.read_text() == before


def test_an_up_that_fails_is_an_error(deployments: Deployments) -> None:
    """The engine has already printed the reason."""
    deployments.code = 255
    with pytest.raises(UserError, match="`up` failed with exit code 255"):
        updates().up({})


@pytest.mark.usefixtures("deployments")
def test_what_remains_is_the_users_own_command() -> None:
    """The command names the drilled stack."""
    assert updates().command == "python -m lab.deploy up --stack lab"


@pytest.mark.usefixtures("deployments")
def test_only_the_stack_that_the_lab_holds_is_deployed() -> None:
    """The error comes before the cut."""
    with pytest.raises(UserError, match="Stack prod is not a stack of the lab"):
        updates("prod")
    engines.MARK.unlink()
    with pytest.raises(UserError, match=r"the lab does not hold stack lab\. Run: make up STACK=lab"):
        updates()
