"""The recovery of a killed run with Pulumi's own commands."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from errors import UserError
from recovery.pulumi_cli import PulumiCli

SERVICE = {
    "urn": "urn:pulumi:lab::mcsps::kubernetes:core/v1:Service::east-istio-ingress",
    "type": "kubernetes:core/v1:Service",
    "inputs": {"metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"}},
}
DEPLOYMENT = {
    "urn": "urn:pulumi:lab::mcsps::kubernetes:apps/v1:Deployment::east-helloworld-v1",
    "type": "kubernetes:apps/v1:Deployment",
    "id": "sample/helloworld-v1",
}
PENDING = {
    "deployment": {
        "resources": [DEPLOYMENT],
        "pending_operations": [
            {"type": "creating", "resource": SERVICE},
            {"type": "updating", "resource": DEPLOYMENT},
        ],
    }
}


def fake_pulumi(tmp_path: Path, state: object, *, code: int = 0) -> PulumiCli:
    """Create a `pulumi` that exports `state`, stores what it imports, and records all calls except exports."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    script = tmp_path / "pulumi"
    export = f'if [ "$1 $2" = "stack export" ]; then cat state.json; exit {code}; fi'
    imports = 'if [ "$1 $2" = "stack import" ]; then cat > imported.json; fi'
    script.write_text(f'#!/bin/sh\n{export}\n{imports}\necho "$@" >> calls\nexit {code}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return PulumiCli(executable=str(script), stack="lab", root=tmp_path, environment={"PATH": "/usr/bin:/bin"})


def test_nothing_is_called_where_nothing_is_pending(tmp_path: Path) -> None:
    """A refresh takes time, and may show unrelated changes."""
    pulumi = fake_pulumi(tmp_path, {"deployment": {"resources": []}})
    assert pulumi.recover() == ()
    assert not (tmp_path / "calls").exists()


def test_what_is_pending_is_settled_in_the_state_first_and_then_in_the_clusters(tmp_path: Path) -> None:
    """Each command gets only the URNs of its own resources."""
    assert fake_pulumi(tmp_path, PENDING).recover() == [DEPLOYMENT["urn"], SERVICE["urn"]]
    imported, refreshed, destroyed = (tmp_path / "calls").read_text().splitlines()
    assert imported == "stack import --stack lab --non-interactive"
    for call, command, resource in ((refreshed, "refresh", DEPLOYMENT), (destroyed, "destroy", SERVICE)):
        assert call == f"{command} --yes --skip-preview --target {resource['urn']} --stack lab --non-interactive"
    state: dict[str, Any] = json.loads((tmp_path / "imported.json").read_text())
    assert [resource["urn"] for resource in state["deployment"]["resources"]] == [DEPLOYMENT["urn"], SERVICE["urn"]]


def test_a_state_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """The error names the command that failed."""
    with pytest.raises(UserError, match="stack export --stack lab"):
        fake_pulumi(tmp_path, PENDING, code=1).recover()


def test_a_command_gets_its_config_file_and_gives_its_exit_code(tmp_path: Path) -> None:
    """The config file of a stack may have another name."""
    pulumi = fake_pulumi(tmp_path, PENDING, code=7)
    assert replace(pulumi, config_file=tmp_path / "own.yaml").run("preview", "--diff") == 7
    assert pulumi.run("preview") == 7
    assert (tmp_path / "calls").read_text().splitlines() == [
        f"preview --config-file {tmp_path}/own.yaml --diff --stack lab --non-interactive",
        "preview --stack lab --non-interactive",
    ]


def test_a_lock_that_a_killed_run_left_is_removed_without_a_question(tmp_path: Path) -> None:
    """At a terminal Pulumi would ask the user. It fails if there is no lock, which is no error here."""
    fake_pulumi(tmp_path, PENDING, code=1).unlock()
    assert (tmp_path / "calls").read_text() == "cancel --yes --stack lab --non-interactive\n"


def test_what_pulumi_prints_goes_where_the_caller_wants_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A caller may need standard output for its own report."""
    pulumi = fake_pulumi(tmp_path, {})
    Path(pulumi.executable).write_text("#!/bin/sh\necho printed\n")
    pulumi.run("up")
    assert capfd.readouterr().out == "printed\n"
    with (tmp_path / "output").open("w") as output:
        replace(pulumi, output=output.fileno()).run("up")
    assert capfd.readouterr().out == ""
    assert (tmp_path / "output").read_text() == "printed\n"
