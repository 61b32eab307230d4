"""The workflows: their syntax, their permissions and secrets, and that users can run the same commands."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.engines import PULUMI_VERSION
from tests.support.stacks import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.iterdir())
WORKFLOWS: dict[str, dict[str, Any]] = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
TRIGGERS = {"push", "pull_request", "schedule", "workflow_dispatch"}
"""pull_request_target and workflow_run are absent: they give a fork's change the secrets of this repository."""
NO_FORK = "github.event.pull_request.head.repo.full_name == github.repository"
PULUMI = "pulumi/actions"
INSTALLATION = "make .venv/installed"

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def triggers(workflow: dict[Any, Any]) -> set[str]:
    """Return the triggers of a workflow; PyYAML reads YAML 1.1, in which `on` is a boolean."""
    return set(workflow[True])


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every job, with the name of its workflow."""
    for name, workflow in WORKFLOWS.items():
        yield from ((name, job) for job in workflow["jobs"].values())


def steps(action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step that uses an action, with the name of its workflow."""
    for name, job in jobs():
        yield from ((name, step) for step in job["steps"] if step.get("uses", "").startswith(f"{action}@"))


def run(*command: str) -> None:
    """Run a command, and show its output if it fails."""
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603 - fixed commands
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_are_what_githubs_schema_allows() -> None:
    """Otherwise a misspelt key stays undetected until the workflow runs."""
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema=vendor.github-workflows", *map(str, FILES))


def test_an_audit_finds_nothing() -> None:
    """No action is pinned by a tag, no script contains a foreign value, and no trigger trusts a fork."""
    run(str(Path(sys.executable).with_name("zizmor")), "--offline", "--strict-collection", str(FOLDER))


@each_file
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(file: Path) -> None:
    """A tag can move, and a hash alone does not show the version."""
    used = re.findall(r"uses: *(.+)", file.read_text())
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_an_action_is_the_same_everywhere() -> None:
    """There is one version to review, and one to update."""
    used = {line for file in FILES for line in re.findall(r"uses: *(.+)", file.read_text())}
    assert len({line.partition("@")[0] for line in used}) == len(used)


def test_no_job_may_write_but_the_one_that_comments() -> None:
    """No workflow has permissions as a whole."""
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())
    granted = {(name, key, value) for name, job in jobs() for key, value in job["permissions"].items()}
    read = {(name, "contents", "read") for name in WORKFLOWS}
    assert granted == {*read, ("preview", "pull-requests", "write")}


def test_no_checkout_keeps_its_token() -> None:
    """Otherwise every later step could push with the token."""
    checkouts = list(steps("actions/checkout"))
    assert {name for name, _ in checkouts} == set(WORKFLOWS)
    assert all(step["with"]["persist-credentials"] is False for _, step in checkouts)


def test_every_job_ends_and_gives_way() -> None:
    """Every job has a timeout, and every workflow defines whether a newer run cancels it."""
    assert all("timeout-minutes" in job for _, job in jobs())
    assert all("cancel-in-progress" in workflow["concurrency"] for workflow in WORKFLOWS.values())


def test_no_fork_reaches_a_secret_or_a_token_that_writes() -> None:
    """The author of a pull request from a fork controls the commands that run."""
    assert set().union(*map(triggers, WORKFLOWS.values())) <= TRIGGERS
    trusted = [
        (name, job.get("if"))
        for name, job in jobs()
        if "pull_request" in triggers(WORKFLOWS[name])
        and ("secrets." in yaml.safe_dump(job) or "write" in job["permissions"].values())
    ]
    assert trusted == [("preview", NO_FORK)]


def test_secrets_are_given_to_the_steps_that_need_them() -> None:
    """No job as a whole and no installation of packages has them, because packages can run any code."""
    with_secrets = [
        step.get("run", step.get("uses", "").partition("@")[0])
        for _, job in jobs()
        for step in job["steps"]
        if "secrets." in yaml.safe_dump(step)
    ]
    assert with_secrets == ["make drift", PULUMI]
    outside = [{key: value for key, value in job.items() if key != "steps"} for _, job in jobs()]
    assert "secrets." not in yaml.safe_dump(outside)


def test_packages_are_installed_before_a_step_that_has_secrets() -> None:
    """Otherwise the targets of `make`, or Pulumi, would install the packages while the secrets are available."""
    for name, job in jobs():
        has_secrets = ["secrets." in yaml.safe_dump(step) for step in job["steps"]]
        if any(has_secrets):
            before = job["steps"][: has_secrets.index(True)]
            assert INSTALLATION in [step.get("run") for step in before], name


def test_every_command_is_a_make_target_or_the_whole_check() -> None:
    """A user can run everything that CI runs."""
    commands = {step["run"] for _, job in jobs() for step in job["steps"] if "run" in step}
    as_root = "sudo --preserve-env=PATH "
    plain = {command.removeprefix(as_root) for command in commands}
    targets = {match.group(1) for command in plain if (match := re.fullmatch(r"make (\S+)", command))}
    assert plain - {f"make {target}" for target in targets} == {"bash .ci/run"}
    assert {"test", "drift", "e2e-all"} <= targets
    for target in targets:
        run("make", "--dry-run", target)


def test_pulumi_is_of_one_version() -> None:
    """A workflow and the lab install the version of the command line that the SDK's pin has."""
    (pin,) = re.findall(r"^pulumi==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    installed = {name: step["with"]["pulumi-version"] for name, step in steps(PULUMI)}
    assert installed == dict.fromkeys(("drift", "lab", "nightly", "preview"), pin)
    assert pin == PULUMI_VERSION


def test_the_lab_is_tested_on_pulumi_itself() -> None:
    """The workflow installs Pulumi before the whole check, which then finds it on the path."""
    (job,) = WORKFLOWS["lab"]["jobs"].values()
    names = [step.get("run", step.get("uses", "").partition("@")[0]) for step in job["steps"]]
    assert names.index(PULUMI) < names.index("sudo --preserve-env=PATH bash .ci/run")


def test_a_pull_request_gets_one_comment_with_the_preview_that_make_gives() -> None:
    """The preview shows each field, runs the policy pack, and hides the stack's outputs."""
    ((_, options),) = ((name, step["with"]) for name, step in steps(PULUMI) if name == "preview")
    assert triggers(WORKFLOWS["preview"]) == {"pull_request"}
    assert options["command"] == "preview"
    assert f"--policy-pack {options['policyPacks']}" in (ROOT / "Makefile").read_text()
    assert "policies/{0}.json" in options["policyPackConfigs"]
    for option in ("diff", "suppress-outputs", "comment-on-pr", "edit-pr-comment", "always-include-summary"):
        assert options[option] is True, option


def test_the_stack_is_a_variable_and_else_the_one_that_is_here() -> None:
    """The default stack has a file in the checkout."""
    text = "".join(file.read_text() for file in FILES)
    defaults = re.findall(r"vars\.PULUMI_STACK \|\| '([\w-]+)'", text)
    assert len(defaults) == text.count("PULUMI_STACK |")
    assert len(defaults) == 2
    assert all((ROOT / f"Pulumi.{stack}.yaml").is_file() for stack in defaults)
