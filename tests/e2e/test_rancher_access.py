"""The mesh through Rancher's proxy, with its quotas, its tokens and their rotation, and with a stopped Rancher."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config_dict

from lab.clusters import addons
from lab.engines import Engine
from lab.rancher import service
from lab.spec import ClusterSpec
from mesh import names
from ops.cluster import connect
from ops.cluster.api import ClusterApi
from ops.verify.links import CREDENTIAL_WRONG
from ops.verify.report import Report
from tests.e2e import needles, planned, rights
from tests.e2e.checkout import ROOT, Checkout, Run, faults, run_module
from tests.e2e.conftest import Lab
from tests.e2e.kept import stack_outputs
from tests.e2e.load import requests_to
from tests.e2e.objects import Objects, held_by, left_over
from tests.e2e.rancher_server import RancherServer
from tests.e2e.test_engines import ingresses

pytestmark = pytest.mark.e2e

STACK = "lab-rancher"
TOKEN_FILE = ("--rancher-token-file", str(service.PLACE.admin_token))
ENOUGH_REQUESTS = 100
AT_ONCE_SECONDS = 30
"""The longest time until a command reports that Rancher is down. The engine's start takes most of it."""
ROTATED = {
    "kubernetes:core/v1:Secret",
    "pulumi:providers:kubernetes",
    "rancher2:index/customUserToken:CustomUserToken",
    "rancher2:index/token:Token",
    "random:index/randomId:RandomId",
}
TTL_MILLIS = 720 * 3600 * 1000
PEERS = [("east", "west"), ("west", "east")]


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """A deployed mesh, and the objects that existed before it."""

    rancher: RancherServer
    objects_before: Mapping[str, Objects]
    held_before: frozenset[str]
    said: list[Run] = field(default_factory=list)


@pytest.fixture(scope="module")
def rancher(lab: Lab) -> RancherServer:
    """Start the lab's Rancher in front of both clusters."""
    del lab
    run_module(ROOT, "lab", "up", "--rancher").must_succeed()
    return RancherServer()


@pytest.fixture(scope="module")
def checkout(
    empty_clusters: tuple[ClusterSpec, ...], rancher: RancherServer, tmp_path_factory: pytest.TempPathFactory
) -> Checkout:
    """Return a checkout for the stack that uses Rancher."""
    del empty_clusters, rancher
    return Checkout(tmp_path_factory.mktemp("checkout"), STACK)


@pytest.fixture(scope="module")
def mesh(lab: Lab, rancher: RancherServer, engine: Engine, checkout: Checkout) -> Mesh:
    """Deploy the mesh on empty clusters."""
    before = {spec.name: held_by(spec) for spec in lab.clusters}
    mesh = Mesh(rancher=rancher, objects_before=before, held_before=rancher.held())
    mesh.said.append(checkout.deploy("preview", engine).must_succeed())
    mesh.said.append(checkout.deploy("up", engine).must_succeed())
    return mesh


@pytest.fixture(scope="module")
def apis(checkout: Checkout) -> dict[str, ClusterApi]:
    """Return each cluster's API through Rancher by the cluster's name."""
    return connect.connect(checkout.settings, STACK, checkout.root, rancher_token_file=service.PLACE.admin_token)


def verify(checkout: Checkout, **how: Any) -> Report:  # noqa: ANN401 - as the checkout has them
    """Verify the mesh with the administrator's token that the lab keeps."""
    return checkout.verify(*TOKEN_FILE, **how)


def test_the_mesh_is_proven_by_traffic(mesh: Mesh, checkout: Checkout) -> None:
    """`verify` passes, as it does for clusters with a kubeconfig."""
    del mesh
    report = verify(checkout)
    assert report.ok, [check for check in report.checks if not check.ok]


@pytest.mark.parametrize(("cluster", "peer"), PEERS)
def test_istiod_reads_its_peer_through_ranchers_proxy(
    mesh: Mesh, apis: dict[str, ClusterApi], cluster: str, peer: str
) -> None:
    """The token belongs to the peers' user, who can read only what istiod needs in that cluster."""
    link = kubeconfig_of(apis, cluster, peer)
    ids = {it["name"]: it["id"] for it in mesh.rancher.list("clusters")}
    assert link["clusters"][0]["cluster"]["server"] == f"{service.URL}/k8s/clusters/{ids[peer]}"
    reader = new_client_from_config_dict(link)  # type: ignore[no-untyped-call]
    assert [action for action in rights.NEEDED if not rights.allows(reader, *action)] == []
    assert [action for action in rights.REFUSED if rights.allows(reader, *action)] == []


@pytest.mark.parametrize(("cluster", "peer"), PEERS)
def test_a_links_token_is_good_for_nothing_but_the_one_clusters_api(
    mesh: Mesh, apis: dict[str, ClusterApi], cluster: str, peer: str
) -> None:
    """Neither the other cluster nor Rancher's own API accepts the token. The token expires."""
    token = kubeconfig_of(apis, cluster, peer)["users"][0]["user"]["token"]
    ids = {it["name"]: it["id"] for it in mesh.rancher.list("clusters")}
    paths = {
        f"/k8s/clusters/{ids[peer]}/api/v1/services": 200,
        f"/k8s/clusters/{ids[cluster]}/api/v1/services": 401,
        "/v3/projects": 401,
    }
    assert {path: mesh.rancher.ask("GET", path, token).status_code for path in paths} == paths
    (its,) = (it for it in mesh.rancher.tokens if it["id"] == token.partition(":")[0])
    assert its["ttl"] == TTL_MILLIS


def test_a_second_preview_shows_no_change_and_makes_no_token(mesh: Mesh, engine: Engine, checkout: Checkout) -> None:
    """This holds although Rancher adds labels, annotations, a LimitRange and a ResourceQuota of its own."""
    before = [it["id"] for it in mesh.rancher.tokens]
    for options in planned.NO_CHANGE_OPTIONS[engine]:
        mesh.said.append(checkout.deploy("preview", engine, *options).must_succeed())
    assert [it["id"] for it in mesh.rancher.tokens] == before


def test_the_ends_of_the_tokens_are_exported(mesh: Mesh, engine: Engine, checkout: Checkout) -> None:
    """Each cluster and use has an expiry, which is not later than Rancher's."""
    clusters = stack_outputs(engine, checkout)["clusters"]
    for cluster, its in clusters.items():
        for use, tokens in (
            ("provider", mesh.rancher.own_tokens(cluster)),
            ("peers", mesh.rancher.peers_tokens(cluster)),
        ):
            assert tokens
            assert its[f"{use}TokenExpiry"] <= min(token["expiresAt"] for token in tokens)


@pytest.mark.parametrize("namespace", [names.ISTIO_NAMESPACE, names.APP_NAMESPACE])
def test_the_quota_of_a_namespace_is_enforced(mesh: Mesh, lab: Lab, namespace: str) -> None:
    """The ResourceQuota that Rancher created from the annotation refuses a pod over the limit."""
    del mesh
    for spec in lab.clusters:
        with pytest.raises(ApiException) as refused:
            try_to_create(spec, namespace, greedy_pod())
        assert refused.value.status == 403
        assert "exceeded quota: default-" in str(refused.value.body)
        assert "limited: limits.cpu=12" in str(refused.value.body)


@pytest.mark.parametrize(
    ("namespace", "limits"),
    [
        (names.ISTIO_NAMESPACE, {"cpu": "100m", "memory": "100Mi"}),
        (names.APP_NAMESPACE, {"cpu": "200m", "memory": "128Mi"}),
    ],
)
def test_a_container_that_says_nothing_gets_the_projects_or_the_namespaces_limits(
    mesh: Mesh, lab: Lab, namespace: str, limits: dict[str, str]
) -> None:
    """In sample the project's limits apply; in istio-system those of its LimitRange, which Rancher does not change."""
    del mesh
    for spec in lab.clusters:
        assert default_limits(spec, namespace) == limits


def test_a_rotation_replaces_tokens_and_what_holds_them_under_load(
    mesh: Mesh,
    engine: Engine,
    checkout: Checkout,
    apis: dict[str, ClusterApi],
    record_property: Any,  # noqa: ANN401 - pytest's own
) -> None:
    """No request fails, the plan contains nothing else, and no old token is left."""
    before = {it["id"] for it in mesh.rancher.tokens}
    links = {pair: kubeconfig_of(apis, *pair)["users"][0]["user"]["token"] for pair in PEERS}
    checkout.configure(rancher={**checkout.config("rancher"), "tokenGeneration": 2})
    plan, run = planned.preview(checkout, engine)
    mesh.said.append(run)
    assert {planned.type_of(urn) for urn in plan} == ROTATED
    with requests_to(ingresses(engine, checkout)) as outcomes:
        mesh.said.append(checkout.deploy("up", engine).must_succeed())
        # The old tokens no longer exist, so whatever still used one would fail from here on.
        time.sleep(10)
    record_property("requests", dict(outcomes))
    assert set(outcomes) == {"200"}, outcomes
    assert outcomes["200"] > ENOUGH_REQUESTS
    after = {it["id"] for it in mesh.rancher.tokens}
    assert len(before - after) == len(after - before) == 4
    assert not {pair for pair in PEERS if kubeconfig_of(apis, *pair)["users"][0]["user"]["token"] == links[pair]}
    assert faults(verify(checkout, requests=ENOUGH_REQUESTS)) == []
    for options in planned.NO_CHANGE_OPTIONS[engine]:
        checkout.deploy("preview", engine, *options).must_succeed()


def test_a_link_whose_token_was_revoked_is_named_and_mended(mesh: Mesh, engine: Engine, checkout: Checkout) -> None:
    """`verify` names the link, and the `up` of its remedy repairs it."""
    mesh.rancher.revoke(mesh.rancher.peers_tokens("west"))
    report = verify(checkout, requests=ENOUGH_REQUESTS, wait_seconds=5)
    assert [(cause.cause, cause.cluster, cause.peer) for cause in report.causes] == [
        (CREDENTIAL_WRONG.name, "east", "west")
    ]
    assert "`pulumi up --refresh`" in report.causes[0].remedy
    checkout.deploy("up", engine, "--refresh").must_succeed()
    assert faults(verify(checkout, requests=ENOUGH_REQUESTS, wait_seconds=90)) == []


def test_revoked_tokens_of_the_programs_own_are_mended_by_new_generations_of_both(
    mesh: Mesh, engine: Engine, checkout: Checkout
) -> None:
    """The update runs without a refresh, which would query the cluster with a revoked token."""
    mesh.rancher.revoke(mesh.rancher.own_tokens("east"))
    checkout.configure(rancher={**checkout.config("rancher"), "tokenGeneration": 4})
    checkout.deploy("up", engine).must_succeed()
    assert faults(verify(checkout, requests=ENOUGH_REQUESTS)) == []


@pytest.mark.parametrize("command", ["preview", "up"])
def test_without_rancher_it_is_said_at_once_and_nothing_changes(
    mesh: Mesh, engine: Engine, checkout: Checkout, lab: Lab, command: str
) -> None:
    """The mesh keeps serving, because istiod keeps the endpoints that it has read."""
    before = {spec.name: held_by(spec) for spec in lab.clusters}
    urls = ingresses(engine, checkout)
    with mesh.rancher.down(), requests_to(urls) as outcomes:
        run = checkout.deploy(command, engine).must_fail()
        time.sleep(5)
    assert f"mcsps:rancher.url: got {service.URL}, which cannot be reached" in run.text
    assert run.seconds < AT_ONCE_SECONDS
    assert set(outcomes) == {"200"}, outcomes
    assert {spec.name: held_by(spec) for spec in lab.clusters} == before
    assert faults(verify(checkout, requests=ENOUGH_REQUESTS, wait_seconds=90)) == []


def test_no_token_is_said(mesh: Mesh, apis: dict[str, ClusterApi]) -> None:
    """The outputs contain neither a link's token nor the administrator's."""
    secret = needles.of_mesh(apis.values()) | {service.PLACE.admin_token.read_bytes().strip()}
    for run in mesh.said:
        assert not any(needle in run.text.encode() for needle in secret), f"{' '.join(run.command)} shows a secret"


def test_destroy_leaves_nothing_in_the_clusters_nor_in_rancher(
    mesh: Mesh, engine: Engine, checkout: Checkout, lab: Lab
) -> None:
    """No project, user, role, binding or token remains."""
    checkout.deploy("destroy", engine).must_succeed()
    # Rancher creates a ClusterRole for each of its roles at the first binding, and keeps it.
    roles = {f"ClusterRole.rbac.authorization.k8s.io /{it['id']}" for it in mesh.rancher.list("roleTemplates")}
    for spec in lab.clusters:
        assert left_over(spec, {**mesh.objects_before[spec.name], **dict.fromkeys(roles, "")}) == set(), spec.name
    assert mesh.rancher.held() - mesh.held_before == frozenset()


def kubeconfig_of(apis: dict[str, ClusterApi], cluster: str, peer: str) -> dict[str, Any]:
    """Return the kubeconfig with which istiod of `cluster` reaches `peer`."""
    secret = apis[cluster].secret(names.ISTIO_NAMESPACE, names.remote_secret(peer))
    assert secret
    return needles.kubeconfig_in(secret)


def greedy_pod() -> dict[str, Any]:
    """Return a pod that requests more than a whole project may have."""
    resources = {"limits": {"cpu": "13", "memory": "64Mi"}, "requests": {"cpu": "1m", "memory": "1Mi"}}
    container = {"name": "greedy", "image": "mcsps.lab/client:1", "resources": resources}
    return {
        "metadata": {"name": "greedy", "labels": {"sidecar.istio.io/inject": "false"}},
        "spec": {"containers": [container]},
    }


def default_limits(spec: ClusterSpec, namespace: str) -> dict[str, str]:
    """Return the limits that the API server gives to a container without any."""
    pod = {
        "metadata": {"name": "modest", "labels": {"sidecar.istio.io/inject": "false"}},
        "spec": {"containers": [{"name": "modest", "image": "mcsps.lab/client:1"}]},
    }
    return dict(try_to_create(spec, namespace, pod).spec.containers[0].resources.limits)


def try_to_create(spec: ClusterSpec, namespace: str, pod: dict[str, Any]) -> Any:  # noqa: ANN401 - the generated models call every field optional
    """Let the API server check a pod by a dry run."""
    with addons.connect(spec) as api:
        core: Any = client.CoreV1Api(api)
        return core.create_namespaced_pod(namespace, pod, dry_run="All")
