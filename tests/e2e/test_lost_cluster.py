"""The program works without a lost cluster. Traffic moves away from it, and one value brings the cluster back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from errors import ExitCode
from lab import faults as lab_faults
from lab.engines import Engine
from lab.spec import ClusterSpec, find
from mesh import names
from tests.e2e.breakages import REMOTE_SECRET, ROUTE, Cluster
from tests.e2e.checkout import FEW_REQUESTS, ROOT, Checkout, faults_once_settled, run_module
from tests.e2e.conftest import Lab
from tests.e2e.kept import engine_state, stack_outputs
from tests.e2e.load import requests_to
from tests.e2e.objects import Objects, held_by
from tests.e2e.planned import name_of, preview

pytestmark = pytest.mark.e2e

LOST = "west"
OWN_SECRET = "west-to-east-remote-secret"  # noqa: S105 - the name of what the other cluster holds


@pytest.fixture(scope="module")
def mesh(lab: Lab, engine: Engine, checkout: Checkout) -> Mapping[str, Cluster]:
    """Return a mesh whose version v2 runs only in the cluster that is lost."""
    checkout.deploy("up", engine).must_succeed()
    return {spec.name: Cluster(str(spec.kubeconfig)) for spec in lab.clusters}


@pytest.fixture
def lost(lab: Lab, mesh: Mapping[str, Cluster]) -> Iterator[ClusterSpec]:
    """Cut the cluster off the network without any answer, and reconnect it at the end."""
    del mesh
    spec = find(LOST, lab.clusters)
    lab_faults.cut(spec, is_silent=True)
    try:
        yield spec
    finally:
        lab_faults.heal(spec)


@contextmanager
def away(checkout: Checkout) -> Iterator[None]:
    """Mark the cluster as away in the config until the block ends."""
    before = checkout.config("clusters")
    checkout.configure(
        clusters=[{**cluster, "away": True} if cluster["name"] == LOST else cluster for cluster in before]
    )
    try:
        yield
    finally:
        checkout.configure(clusters=before)


def weights_of(cluster: Cluster) -> list[int]:
    """Return the weights of a cluster's last route, v1 first."""
    return [part["weight"] for part in cluster.read(ROUTE)["spec"]["http"][-1]["route"]]


def secret_names(cluster: Cluster) -> set[str]:
    """Return the names of the remote secrets in a cluster."""
    found = cluster.core.list_namespaced_secret(names.ISTIO_NAMESPACE, label_selector=names.MULTICLUSTER_LABEL)
    return {secret.metadata.name for secret in found.items}


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_cluster_that_does_not_answer_ends_a_run_in_one_line_and_keeps_the_outputs(
    lost: ClusterSpec, checkout: Checkout, engine: Engine, command: str
) -> None:
    """The line names the cluster and the key that moves the traffic away from it. Nothing has changed."""
    before = stack_outputs(engine, checkout) if engine is Engine.PULUMI else None
    run = checkout.deploy(command, engine).must_fail()
    lines = [line for line in run.text.splitlines() if f"cluster {LOST} at {lost.server} does not answer" in line]
    assert lines, run.text
    assert "mcsps:clusters[1].away to true" in lines[0]
    assert "Traceback" not in run.text
    if before is not None:
        assert stack_outputs(engine, checkout) == before


def test_without_a_lost_cluster_traffic_moves_and_it_comes_back_by_one_value(
    lab: Lab, mesh: Mapping[str, Cluster], checkout: Checkout, engine: Engine
) -> None:
    """The other cluster loses no request while the cluster is cut off and away. Later everything is as before."""
    spec = find(LOST, lab.clusters)
    outputs = stack_outputs(engine, checkout)
    ingress = f"http://{outputs['clusters']['east']['ingressAddress']}{names.HELLOWORLD_PATH}"
    lab_faults.cut(spec, is_silent=True)
    try:
        with away(checkout):
            changes, run = preview(checkout, engine)
            touched = {name_of(urn) for urn in changes}
            assert {name for name in touched if "kubernetes" not in name} == {
                "east-helloworld-route-ingress",
                "east-helloworld-route-mesh",
                "west-to-east-remote-secret",
            }
            assert "v2 runs only there, so v1 gets 100 % of the requests instead of 90 %" in run.text
            checkout.deploy("up", engine).must_succeed()
            with requests_to([ingress] * 4) as outcomes:
                checkout.deploy("preview", engine, "--refresh", "--expect-no-changes").must_succeed()
            assert outcomes["200"] > 0
            assert set(outcomes) == {"200"}
            report = checkout.verify(requests=FEW_REQUESTS)
            assert report.ok, [check for check in report.checks if not check.ok]
            assert report.away == (LOST,)
            assert weights_of(mesh["east"]) == [100, 0]
            assert secret_names(mesh["east"]) == set()
            assert stack_outputs(engine, checkout) == outputs
    finally:
        lab_faults.heal(spec)
    assert weights_of(mesh["west"]) == [90, 10]
    checkout.deploy("up", engine).must_succeed()
    assert weights_of(mesh["east"]) == [90, 10]
    assert secret_names(mesh["east"]) == {REMOTE_SECRET.name}
    assert faults_once_settled(checkout) == []


def test_a_credential_that_was_rotated_is_no_drift_that_fails(
    lab: Lab, mesh: Mapping[str, Cluster], checkout: Checkout, engine: Engine, tmp_path: Path
) -> None:
    """The API server refuses the state's credential. Drift and refresh use the credential of the config."""
    spec = find(LOST, lab.clusters)
    before = checkout.config("clusters")
    with temporary_administrator(mesh[LOST], spec, tmp_path) as kubeconfig:
        access = {"kind": "kubeconfig", "path": str(kubeconfig)}
        checkout.configure(
            clusters=[{**cluster, "access": access} if cluster["name"] == LOST else cluster for cluster in before]
        )
        try:
            checkout.deploy("up", engine).must_succeed()
        finally:
            checkout.configure(clusters=before)
    drift = checkout.deploy("preview", engine, "--diff", "--refresh", "--run-program", "--expect-no-changes")
    assert drift.code == ExitCode.CHANGED, drift.text
    checkout.deploy("up", engine, "--refresh", "--run-program").must_succeed()
    assert faults_once_settled(checkout) == []


@contextmanager
def temporary_administrator(cluster: Cluster, spec: ClusterSpec, folder: Path) -> Iterator[Path]:
    """Yield the kubeconfig of an administrator that exists until the block ends."""
    name = "rotated"
    rights: Any = client.RbacAuthorizationV1Api(cluster.core.api_client)
    cluster.core.create_namespaced_service_account("default", {"metadata": {"name": name}})
    try:
        rights.create_cluster_role_binding(
            {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
            }
        )
        token = cluster.core.create_namespaced_service_account_token(name, "default", {"spec": {}}).status.token
        document = yaml.safe_load(spec.kubeconfig.read_text())
        document["users"][0]["user"] = {"token": token}
        kubeconfig = folder / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(document))
        yield kubeconfig
    finally:
        rights.delete_cluster_role_binding(name)
        cluster.core.delete_namespaced_service_account(name, "default")


def test_a_cluster_that_was_rebuilt_is_filled_again_and_nothing_else_is_replaced(
    lab: Lab,
    mesh: Mapping[str, Cluster],
    checkout: Checkout,
    engine: Engine,
    objects_before: dict[str, Objects],
) -> None:
    """It has the same name, address and network, but other keys and no objects."""
    del mesh
    east, west = lab.clusters
    before = held_by(east)
    run_module(ROOT, "lab", "rebuild", west.name).must_succeed()
    # CoreDNS has new pods there.
    objects_before[west.name] = held_by(west)
    changes, _ = preview(checkout, engine)
    replaced = {name_of(urn) for urn, step in changes.items() if "replace" in step}
    assert replaced
    elsewhere = {name for name in replaced if not name.startswith(west.name)} | ({OWN_SECRET} & replaced)
    assert elsewhere == {"east-to-west-remote-secret"}, "only the secret in the rebuilt cluster has a name like that"
    checkout.deploy("up", engine).must_succeed()
    assert faults_once_settled(checkout) == []
    after = held_by(east)
    lasting = [name for name in before if "Pod." not in name and "EndpointSlice" not in name]
    assert [name for name in lasting if before[name] != after.get(name)] == []


@pytest.mark.nightly
@pytest.mark.usefixtures("mesh")
def test_a_cluster_is_taken_out_while_it_does_not_answer(
    lab: Lab,
    checkout: Checkout,
    engine: Engine,
    objects_before: dict[str, Objects],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The state no longer contains its objects, and a rebuilt cluster joins under the same name."""
    if engine is not Engine.PULUMI:
        pytest.skip("the variable is Pulumi's")
    east, west = checkout.config("clusters")
    spec = find(LOST, lab.clusters)
    lab_faults.cut(spec, is_silent=True)
    try:
        checkout.configure(clusters=[{**east, "versions": ["v1", "v2"]}])
        monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
        checkout.deploy("up", engine).must_succeed()
        monkeypatch.delenv("PULUMI_K8S_DELETE_UNREACHABLE")
        kept = {name_of(each["urn"]) for each in engine_state(engine, checkout.stack)}
        assert {name for name in kept if name.startswith(LOST)} == set()
        assert faults_once_settled(checkout) == []
    finally:
        checkout.configure(clusters=[east, west])
        lab_faults.heal(spec)
    run_module(ROOT, "lab", "rebuild", LOST).must_succeed()
    objects_before[LOST] = held_by(spec)
    checkout.deploy("up", engine).must_succeed()
    assert faults_once_settled(checkout) == []
