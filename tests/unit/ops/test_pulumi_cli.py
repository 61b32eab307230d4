"""What a killed run left is settled by what can be looked up."""

import json
import stat
from pathlib import Path

import pytest

from ops.pulumi_cli import PulumiCli, kubernetes_id

SERVICE = {
    "urn": "urn:pulumi:lab::mcsps::kubernetes:core/v1:Service::east-istio-ingress",
    "type": "kubernetes:core/v1:Service",
    "inputs": {"metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"}},
}
KEY = {"urn": "urn:pulumi:lab::mcsps::tls:index/privateKey:PrivateKey::key", "type": "tls:index/privateKey:PrivateKey"}


def fake_pulumi(tmp_path: Path, state: object, *, code: int = 0) -> PulumiCli:
    """A `pulumi` that exports `state` and notes every other call."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    script = tmp_path / "pulumi"
    export = f'if [ "$1 $2" = "stack export" ]; then cat state.json; exit {code}; fi'
    script.write_text(f'#!/bin/sh\n{export}\necho "$@" >> calls\nexit {code}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return PulumiCli(executable=str(script), stack="lab", root=tmp_path, environment={"PATH": "/usr/bin:/bin"})


def test_a_kubernetes_object_has_an_id_that_its_name_tells() -> None:
    """With its namespace, if it has one."""
    assert kubernetes_id(SERVICE) == "istio-system/istio-ingressgateway"
    cluster_scoped = {"type": "kubernetes:core/v1:Namespace", "inputs": {"metadata": {"name": "sample"}}}
    assert kubernetes_id(cluster_scoped) == "sample"


@pytest.mark.parametrize(
    "resource", [KEY, {"type": "kubernetes:helm.sh/v4:Chart", "inputs": {}}, {"type": "kubernetes:core/v1:Secret"}]
)
def test_what_has_no_fixed_name_is_not_looked_up(resource: dict[str, object]) -> None:
    """Keys, charts, and objects that the API server names."""
    assert kubernetes_id(resource) is None


def test_nothing_is_called_where_nothing_is_pending(tmp_path: Path) -> None:
    """A refresh costs time, and may show what nobody asked for."""
    pulumi = fake_pulumi(tmp_path, {"deployment": {"resources": []}})
    assert pulumi.recover() == ()
    assert not (tmp_path / "calls").exists()


def test_pending_creates_are_adopted_by_id_and_the_rest_is_let_go(tmp_path: Path) -> None:
    """Only the pending resources are refreshed."""
    pending = [{"type": "creating", "resource": SERVICE}, {"type": "creating", "resource": KEY}]
    pulumi = fake_pulumi(tmp_path, {"deployment": {"pending_operations": pending}})
    assert pulumi.recover() == [SERVICE["urn"], KEY["urn"]]
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.startswith("refresh --yes --skip-preview --clear-pending-creates")
    assert (
        f"--import-pending-creates {SERVICE['urn']} --import-pending-creates istio-system/istio-ingressgateway" in call
    )
    assert f"--import-pending-creates {KEY['urn']}" not in call
    assert call.count("--target") == 2
