"""What the lab itself puts into a cluster."""

import tempfile
from pathlib import Path

import pytest

from lab import addons, spec

EAST = spec.clusters(1)[0]
BY_KIND = {(it["kind"], it["metadata"]["name"]): it for it in addons.manifests()}


def test_name_service_has_the_address_that_kubelets_hand_out() -> None:
    """Else no pod resolves a name."""
    assert BY_KIND["Service", "kube-dns"]["spec"]["clusterIP"] == "10.43.0.10"


def test_load_balancer_may_read_services_and_patch_their_status_alone() -> None:
    """A program that needs no more gets no more."""
    rules = BY_KIND["ClusterRole", "mcsps-lab:loadbalancer"]["rules"]
    assert [(it["resources"], it["verbs"]) for it in rules] == [
        (["services"], ["get", "list", "watch"]),
        (["services/status"], ["patch"]),
    ]


def test_name_service_runs_without_root_and_writes_nothing() -> None:
    """And is never pulled: there is no registry."""
    pod = BY_KIND["Deployment", "coredns"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["imagePullPolicy"] == "Never"


def test_every_binding_is_to_a_role_that_is_there() -> None:
    """The lab's own, or one of Kubernetes' own."""
    roles = {name for kind, name in BY_KIND if kind == "ClusterRole"}
    bound = {it["roleRef"]["name"] for (kind, _), it in BY_KIND.items() if kind == "ClusterRoleBinding"}
    assert {name for name in bound if not name.startswith("system:")} <= roles


def test_a_connection_makes_no_copy_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies in the folder for temporary files outlive a program that is killed, and the lab."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with addons.connect(EAST, "loadbalancer") as api:
        assert api.configuration.key_file == str(EAST.pki / "loadbalancer.key")
        assert api.configuration.cert_file == str(EAST.pki / "loadbalancer.crt")
        assert api.configuration.ssl_ca_cert == str(EAST.pki / "ca.crt")
    assert list(tmp_path.iterdir()) == []
