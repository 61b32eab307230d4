"""The add-ons that the lab applies to a cluster."""

import tempfile
from pathlib import Path
from unittest.mock import create_autospec

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from lab import spec
from lab.clusters import addons

EAST = spec.clusters(1)[0]
BY_KIND = {(it["kind"], it["metadata"]["name"]): it for it in addons.manifests()}


def test_name_service_has_the_address_that_kubelets_hand_out() -> None:
    """With another address no pod could resolve names."""
    assert BY_KIND["Service", "kube-dns"]["spec"]["clusterIP"] == "10.43.0.10"


def test_load_balancer_may_read_services_and_patch_their_status_alone() -> None:
    """The program has only the rights that it needs."""
    rules = BY_KIND["ClusterRole", "mcsps-lab:loadbalancer"]["rules"]
    assert [(it["resources"], it["verbs"]) for it in rules] == [
        (["services"], ["get", "list", "watch"]),
        (["services/status"], ["patch"]),
    ]


def test_name_service_runs_without_root_and_writes_nothing() -> None:
    """CoreDNS is never pulled, because there is no registry."""
    pod = BY_KIND["Deployment", "coredns"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["imagePullPolicy"] == "Never"


@pytest.mark.parametrize(
    ("available", "answer", "is_ready"),
    [(1, None, True), (0, None, False), (1, ApiException(status=503), False), (1, HTTPError(), False)],
)
def test_name_service_is_ready_once_it_answers_itself(
    monkeypatch: pytest.MonkeyPatch, available: int, answer: Exception | None, *, is_ready: bool
) -> None:
    """After a crash the API reports the state before it for a while."""
    apps, core = (create_autospec(api, instance=True) for api in (client.AppsV1Api, client.CoreV1Api))
    apps.read_namespaced_deployment.return_value = client.V1Deployment(
        metadata=client.V1ObjectMeta(generation=1),
        spec=client.V1DeploymentSpec(selector=client.V1LabelSelector(), template=client.V1PodTemplateSpec()),
        status=client.V1DeploymentStatus(
            observed_generation=1, updated_replicas=1, available_replicas=available, replicas=1
        ),
    )
    pod = client.V1Pod(metadata=client.V1ObjectMeta(name="coredns-1"))
    core.list_namespaced_pod.return_value = client.V1PodList(items=[pod])
    core.connect_get_namespaced_pod_proxy_with_path.side_effect = [answer]
    monkeypatch.setattr(client, "AppsV1Api", lambda _: apps)
    monkeypatch.setattr(client, "CoreV1Api", lambda _: core)
    assert addons.is_dns_ready(client.ApiClient()) is is_ready


def test_every_binding_is_to_a_role_that_is_there() -> None:
    """The role belongs to the lab or to Kubernetes."""
    roles = {name for kind, name in BY_KIND if kind == "ClusterRole"}
    bound = {it["roleRef"]["name"] for (kind, _), it in BY_KIND.items() if kind == "ClusterRoleBinding"}
    assert {name for name in bound if not name.startswith("system:")} <= roles


def test_a_connection_makes_no_copy_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies in the folder for temporary files outlive a killed program, and the lab."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with addons.connect(EAST, "loadbalancer") as api:
        assert api.configuration.key_file == str(EAST.pki / "loadbalancer.key")
        assert api.configuration.cert_file == str(EAST.pki / "loadbalancer.crt")
        assert api.configuration.ssl_ca_cert == str(EAST.pki / "ca.crt")
    assert list(tmp_path.iterdir()) == []
