"""The commands of `make`, as its dry run shows them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.rancher import service
from tests.support.stacks import ROOT

OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
PACK = "policies/PulumiPolicy.yaml"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, and without policies."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def dry_run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Return the result of a dry run of `make` without the installation."""
    # If `make` runs these tests, it passes its options and variables to every other `make`.
    environment = {key: value for key, value in os.environ.items() if key not in OF_MAKE}
    return subprocess.run(  # noqa: S603 - the project's own Makefile
        ["make", "--dry-run", "--old-file=.venv/installed", *arguments],  # noqa: S607
        cwd=checkout,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def make(checkout: Path, *arguments: str) -> str:
    """Return the last command that `make` would run."""
    done = dry_run(checkout, *arguments)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.splitlines()[-1].split())


RUN = ".venv/bin/python -m"
LAST_COMMANDS = {
    "help": {"*": "sed -n 's/"},
    "up": {"*": f"{RUN} ops verify --stack {{stack}}"},
    "preview": {"*": f"{RUN} lab.deploy preview --stack {{stack}}", "mcsps-test": "pulumi preview --stack mcsps-test"},
    "drift": {"*": f"{RUN} lab.deploy preview --stack {{stack}}", "mcsps-test": "pulumi preview --stack mcsps-test"},
    "verify": {"*": f"{RUN} ops verify --stack {{stack}}"},
    "drill": {"*": f"{RUN} ops drill --stack {{stack}}"},
    "down": {"*": f"{RUN} lab down", "mcsps-test": "pulumi destroy --stack mcsps-test --run-program"},
    "test": {"*": f"{RUN} coverage report"},
    "unit": {"*": f"{RUN} pytest"},
    "properties": {"*": f"{RUN} pytest"},
    "docs": {"*": f"NO_MKDOCS_2_WARNING=1 {RUN} mkdocs build"},
    "e2e": {"*": f"{RUN} pytest"},
    "e2e-all": {"*": f"{RUN} pytest"},
    "soak": {"*": f"{RUN} pytest"},
    "bench": {"*": f"{RUN} bench"},
}
"""The beginning of the last command of each target, by stack."""
TARGETS = re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("stack", ["lab", "lab-rancher", "mcsps-test"])
def test_every_target_has_a_command_for_every_stack(checkout: Path, target: str, stack: str) -> None:
    """The stacks are those of the lab, and one other."""
    expected = LAST_COMMANDS[target].get(stack, LAST_COMMANDS[target]["*"]).format(stack=stack)
    assert f"{make(checkout, target, f'STACK={stack}')} ".startswith(expected)


def test_every_target_that_has_a_command_here_is_one() -> None:
    """The help lists all of them."""
    assert sorted(TARGETS) == sorted(LAST_COMMANDS)


@pytest.mark.parametrize("stack", ["lab", "lab-rancher"])
def test_up_installs_packages_makes_the_clusters_and_the_mesh_and_then_proves_it(checkout: Path, stack: str) -> None:
    """All commands are for the given stack."""
    lines = [line.strip() for line in dry_run(checkout, "up", f"STACK={stack}", "CLUSTERS=3").stdout.splitlines()]
    assert "lab/install-packages python lab" in lines[0]
    rancher = " --rancher" if stack == "lab-rancher" else ""
    assert lines[-3:-1] == [f"{RUN} lab up --clusters 3{rancher}", f"{RUN} lab.deploy up --stack {stack}"]
    assert lines[-1].startswith(f"{RUN} ops verify --stack {stack}")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ((), ".venv/bin/python -m lab.deploy preview --stack lab"),
        (("STACK=lab-rancher",), ".venv/bin/python -m lab.deploy preview --stack lab-rancher"),
        (("ENGINE=pulumi",), ".venv/bin/python -m lab.deploy preview --stack lab --engine pulumi"),
        (("STACK=mcsps-test",), "pulumi preview --stack mcsps-test"),
    ],
)
def test_a_preview_runs_the_policy_pack_where_there_is_one(
    checkout: Path, arguments: tuple[str, ...], command: str
) -> None:
    """
    The pack gets the config file of the stack, if there is one.

    A drift check runs no policies: it checks the state of the clusters, not whether that state is allowed.
    """
    assert make(checkout, "preview", *arguments) == f"{command} --diff"
    (checkout / PACK).parent.mkdir()
    (checkout / PACK).touch()
    assert make(checkout, "preview", *arguments) == f"{command} --diff --policy-pack policies"
    config = f"policies/{command.partition('--stack ')[2].partition(' ')[0]}.json"
    (checkout / config).touch()
    assert make(checkout, "preview", *arguments) == (
        f"{command} --diff --policy-pack policies --policy-pack-config {config}"
    )
    assert make(checkout, "drift", *arguments) == f"{command} --diff --refresh --run-program --expect-no-changes"


def test_the_stack_may_come_from_the_environment(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CI sets the variable, so that no value of a workflow becomes part of a script."""
    monkeypatch.setenv("STACK", "mcsps-test")
    assert make(checkout, "drift").startswith("pulumi preview --stack mcsps-test ")


@pytest.mark.parametrize("key", ["STACK", "CLUSTERS", "ENGINE", "CLUSTER", "PICTURE", "SCENARIO"])
@pytest.mark.parametrize(
    "value",
    ["x; touch ran", "$(touch ran)", "$(shell touch ran)", "x`touch ran`", "'x", "x\ntouch ran", "x &", "*", "é"],
)
def test_a_value_that_a_shell_or_make_would_run_is_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    """No command runs before the check: users who can start a workflow may have no right to see its secrets."""
    as_argument = dry_run(checkout, "drill", f"{key}={value}")
    monkeypatch.setenv(key, value)
    for done in (as_argument, dry_run(checkout, "drill")):
        assert done.returncode != 0
        assert f"{key}: got '{value}'; allowed are letters, digits and . _ - / ~ +" in done.stderr
        assert done.stdout == ""
    assert not (checkout / "ran").exists()


def test_a_value_may_be_any_stacks_name_or_path(checkout: Path) -> None:
    """The value may contain an organisation, a home folder or a version."""
    assert make(checkout, "drift", "STACK=Org-1/mcsps_2/dev.3").startswith(
        "pulumi preview --stack Org-1/mcsps_2/dev.3 "
    )
    command = make(checkout, "drill", "CLUSTER=east-0", "PICTURE=~/drills/../drill+1.svg")
    assert command.endswith("--stack lab --cluster east-0 --picture ~/drills/../drill+1.svg")


def test_a_drill_has_the_scenario_that_is_chosen(checkout: Path) -> None:
    """Without a scenario, the command uses its default."""
    assert make(checkout, "drill", "SCENARIO=away").endswith("--stack lab --scenario away")
    assert "--scenario" not in make(checkout, "drill")


def test_the_token_of_the_labs_rancher_comes_from_the_lab(checkout: Path) -> None:
    """This applies only to the lab's Rancher stack. In any other stack the token is a secret of the stack."""
    assert make(checkout, "verify", "STACK=lab-rancher").endswith(f"--rancher-token-file {service.PLACE.admin_token}")
    assert "--rancher-token-file" not in make(checkout, "verify") + make(checkout, "verify", "STACK=mcsps-test")
