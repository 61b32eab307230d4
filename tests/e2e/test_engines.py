"""Each engine deploys a mesh, shifts its weight, and destroys it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from kubernetes import client
from kubernetes.config import new_client_from_config_dict

from lab.clusters import addons
from lab.engines import Engine
from lab.spec import STATE_DIR, ClusterSpec
from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.sidecar import see_endpoints
from ops.traffic.source import TrafficSource
from ops.verify.check import CheckState
from ops.verify.report import Report
from tests.e2e import certificates, needles, planned, rights
from tests.e2e.checkout import Checkout, Run
from tests.e2e.conftest import Lab
from tests.e2e.foreign_ca import foreign_root_pem
from tests.e2e.kept import engine_state, stack_outputs
from tests.e2e.objects import Objects, held_by

pytestmark = [pytest.mark.e2e, pytest.mark.every_engine]

CLUSTERS = ("east", "west")
POLICIES = ("--policy-pack", "policies", "--policy-pack-config", "policies/lab.json")
SHIFTED_WEIGHT = 90
VIRTUAL_SERVICE = "kubernetes:networking.istio.io/v1:VirtualService"


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """A deployed mesh, with all output of its engine so far."""

    up: Run
    first_plan: dict[str, str]
    objects_after_preview: dict[str, Objects]
    said: list[Run] = field(default_factory=list)


@pytest.fixture(scope="module")
def mesh(empty_clusters: tuple[ClusterSpec, ...], engine: Engine, checkout: Checkout) -> Mesh:
    """Preview and deploy the mesh on empty clusters, and return it."""
    plan, preview = planned.preview(checkout, engine)
    objects = {spec.name: held_by(spec) for spec in empty_clusters}
    up = checkout.deploy("up", engine).must_succeed()
    return Mesh(up=up, first_plan=dict(plan), objects_after_preview=objects, said=[preview, up])


@pytest.fixture(scope="module")
def report(mesh: Mesh, checkout: Checkout) -> Report:
    """Return the report of `verify` on the mesh as it was first deployed."""
    del mesh
    return checkout.verify()


@pytest.fixture(scope="module")
def shift(mesh: Mesh, engine: Engine, checkout: Checkout) -> dict[str, str]:
    """Give the mesh another weight; return the changes that the preview showed."""
    checkout.configure(v2Weight=SHIFTED_WEIGHT)
    plan, preview = planned.preview(checkout, engine)
    # The stand-in shows each changed field without an option.
    up = checkout.deploy("up", engine, *(["--diff"] if engine is Engine.PULUMI else [])).must_succeed()
    mesh.said.extend([preview, up])
    return dict(plan)


@pytest.fixture
def _shifted_again(shift: dict[str, str], engine: Engine, checkout: Checkout) -> Iterator[None]:
    """Apply the shifted weight again after a test."""
    del shift
    yield
    checkout.configure(v2Weight=SHIFTED_WEIGHT)
    checkout.deploy("up", engine).must_succeed()


def test_a_preview_on_nothing_shows_creates_alone_and_creates_nothing(
    mesh: Mesh, objects_before: dict[str, Objects]
) -> None:
    """The clusters hold the same objects before and after, and both clusters' namespaces are in the plan."""
    assert set(mesh.first_plan.values()) == {"create"}
    assert {"east-istio-system", "west-istio-system"} <= {planned.name_of(urn) for urn in mesh.first_plan}
    for cluster, before in objects_before.items():
        assert mesh.objects_after_preview[cluster] == before


def test_every_policy_lets_the_real_program_through(mesh: Mesh, engine: Engine, checkout: Checkout) -> None:
    """The policies run as in `make preview`; the stand-in reports that it runs none."""
    run = checkout.deploy("preview", engine, *POLICIES).must_succeed()
    mesh.said.append(run)
    if engine is Engine.STAND_IN:
        assert "the policy pack policies was not run" in run.text
        return
    assert "mcsps" in run.text.partition("Policies:")[2], run.text
    assert "[mandatory]" not in run.text


def test_verify_counts_every_request_and_finds_all_well(report: Report) -> None:
    """Each cluster gets requests at its ingress and from a client pod, and none fails."""
    assert report.ok, [check for check in report.checks if not check.ok]
    assert not report.causes
    asked = {(traffic.cluster, traffic.source): traffic for traffic in report.traffic}
    assert set(asked) == {(cluster, source) for cluster in CLUSTERS for source in TrafficSource}
    for traffic in asked.values():
        assert (traffic.requests, traffic.failed) == (report.requests, 0)
        assert traffic.v1 + traffic.v2 == report.requests


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_each_cluster_serves_both_versions_on_its_own_ingress(report: Report, cluster: str) -> None:
    """One of the two versions runs in the peer alone, so it came through the peer's east-west gateway."""
    (traffic,) = (each for each in report.traffic if each.cluster == cluster and each.source is TrafficSource.INGRESS)
    assert traffic.v1 > 0
    assert traffic.v2 > 0


def test_a_second_preview_shows_no_change(mesh: Mesh, engine: Engine, checkout: Checkout) -> None:
    """This holds in comparison with the state and with the clusters themselves."""
    for options in planned.NO_CHANGE_OPTIONS[engine]:
        mesh.said.append(checkout.deploy("preview", engine, *options).must_succeed())


@pytest.mark.parametrize(("cluster", "peer"), [("east", "west"), ("west", "east")])
def test_a_sidecar_knows_its_own_pod_and_the_peers_gateway(
    mesh: Mesh, apis: dict[str, ClusterApi], cluster: str, peer: str
) -> None:
    """The endpoint list of helloworld's own sidecar is the local pod and `<peer east-west address>:15443`."""
    del mesh
    gateway = apis[peer].service(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY)
    (pod,) = apis[cluster].pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")
    assert gateway
    (address,) = gateway.addresses
    seen = {(each.address, each.port) for each in see_endpoints(apis[cluster], pod.name) if not each.subset}
    assert seen == {(pod.ip, names.HELLOWORLD_PORT), (address, names.CROSS_NETWORK_PORT)}
    assert all(each.healthy for each in see_endpoints(apis[cluster], pod.name))


@pytest.mark.parametrize(("cluster", "peer"), [("east", "west"), ("west", "east")])
def test_istiod_has_synced_the_peer(report: Report, cluster: str, peer: str) -> None:
    """The status of istiod's remote clusters shows this."""
    (check,) = (
        each for each in report.checks if (each.id, each.cluster, each.peer) == ("remote-synced", cluster, peer)
    )
    assert check.state is CheckState.PASSED


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_sidecars_chain_ends_in_the_meshs_root_through_its_clusters_own_intermediate(
    mesh: Mesh, engine: Engine, apis: dict[str, ClusterApi], cluster: str, tmp_path: Path
) -> None:
    """The chain is valid for openssl with the root that the engine keeps, and not with a foreign root."""
    del mesh
    leaf, intermediate, *above = certificates.of_helloworld(apis[cluster]).chain
    root = made_root(engine)
    cacerts = apis[cluster].secret(names.ISTIO_NAMESPACE, names.CACERTS)
    assert cacerts
    assert intermediate.strip() == cacerts.data["ca-cert.pem"].decode().strip()
    assert {pem.strip() for pem in above} <= {root}
    assert names.intermediate_common_name(cluster) in certificates.openssl_text(intermediate, "-subject")
    assert "spiffe://cluster.local/ns/sample/sa/default" in certificates.openssl_text(leaf, "-ext", "subjectAltName")

    verified, said = certificates.openssl_verifies(tmp_path, leaf=leaf, through=intermediate, root=root)
    assert verified, said
    refused, said = certificates.openssl_verifies(tmp_path, leaf=leaf, through=intermediate, root=foreign_root_pem())
    assert not refused, said


def test_all_clusters_trust_the_one_root(mesh: Mesh, engine: Engine, apis: dict[str, ClusterApi]) -> None:
    """The sidecars of both clusters accept certificates under it, and under nothing else."""
    del mesh
    for api in apis.values():
        assert [pem.strip() for pem in certificates.of_helloworld(api).roots] == [made_root(engine)]


def test_the_stacks_outputs_are_addresses_and_dates_and_nothing_secret(
    mesh: Mesh, engine: Engine, checkout: Checkout, apis: dict[str, ClusterApi]
) -> None:
    """The addresses are those that the clusters' load balancers gave."""
    del mesh
    outputs = stack_outputs(engine, checkout)
    assert set(outputs) == {"clusters", "rootExpiry", "url"}
    for cluster, api in apis.items():
        ingress, eastwest = (
            api.service(names.ISTIO_NAMESPACE, gateway) for gateway in (names.INGRESS_GATEWAY, names.EASTWEST_GATEWAY)
        )
        assert ingress
        assert eastwest
        its = outputs["clusters"][cluster]
        assert set(its) == {"ingressAddress", "eastwestAddress", "network", "caExpiry"}
        assert (its["ingressAddress"],) == ingress.addresses
        assert (its["eastwestAddress"],) == eastwest.addresses
    assert outputs["url"] == f"http://{outputs['clusters']['east']['ingressAddress']}/hello"


@pytest.mark.parametrize(("cluster", "peer"), [("east", "west"), ("west", "east")])
def test_a_links_token_reads_what_istiod_asks_for_and_does_nothing_else(
    mesh: Mesh, apis: dict[str, ClusterApi], cluster: str, peer: str
) -> None:
    """The peer's API server refuses every change, every command in a pod, and reads of other kinds."""
    del mesh
    secret = apis[cluster].secret(names.ISTIO_NAMESPACE, names.remote_secret(peer))
    assert secret
    reader = new_client_from_config_dict(needles.kubeconfig_in(secret))  # type: ignore[no-untyped-call]
    assert [action for action in rights.NEEDED if not rights.allows(reader, *action)] == []
    assert [action for action in rights.REFUSED if rights.allows(reader, *action)] == []


def test_istiod_is_refused_nothing_that_it_asks_of_a_peer(mesh: Mesh, apis: dict[str, ClusterApi], lab: Lab) -> None:
    """The link's role lacks no right that istiod needs: its log has no refusal."""
    del mesh
    for spec in lab.clusters:
        (pod,) = apis[spec.name].pods(names.ISTIO_NAMESPACE, "app=istiod")
        with addons.connect(spec) as api:
            log = client.CoreV1Api(api).read_namespaced_pod_log(pod.name, names.ISTIO_NAMESPACE)
        assert [line for line in log.splitlines() if "forbidden" in line.lower()] == []


def test_no_private_key_or_token_is_said_or_kept_where_others_may_read_it(
    mesh: Mesh, shift: dict[str, str], engine: Engine, apis: dict[str, ClusterApi]
) -> None:
    """The output of previews and updates contains none, nor does any file of the lab that others can read."""
    del shift  # its output is in the logs that the test searches
    secret = needles.of_mesh(apis.values())
    assert len(secret) >= 8
    if engine is Engine.STAND_IN:
        everywhere = needles.of_stand_in(engine_state(engine))
        assert everywhere - secret, "the root's key is none of the clusters'"
        secret |= everywhere
    for run in mesh.said:
        assert not any(needle in run.text.encode() for needle in secret), f"{' '.join(run.command)} shows a secret"
        assert "PRIVATE KEY-----" not in run.text, f"{' '.join(run.command)} shows a private key"
    leaks = [str(file) for file in needles.readable_by_others(STATE_DIR) if needles.found_in(file, secret)]
    assert not leaks


def test_a_weight_shift_changes_the_virtual_services_of_every_cluster_and_nothing_else(shift: dict[str, str]) -> None:
    """The preview shows these changes before the update."""
    assert {planned.type_of(urn) for urn in shift} == {VIRTUAL_SERVICE}
    assert set(shift.values()) == {"update"}
    assert {planned.name_of(urn).partition("-")[0] for urn in shift} == {"east", "west"}


def test_the_shifted_weight_is_seen_in_traffic(shift: dict[str, str], checkout: Checkout) -> None:
    """The same check that held at the first weight holds at the second, whose bounds do not overlap."""
    del shift
    report = checkout.verify()
    assert report.v2_weight == SHIFTED_WEIGHT
    assert report.ok, [check for check in report.checks if not check.ok]


@pytest.mark.usefixtures("_shifted_again")
def test_all_and_nothing_are_seen_in_traffic(engine: Engine, checkout: Checkout) -> None:
    """A version with weight 0 gets no request from any ingress or client pod."""
    shares = {}
    for weight in (0, 100):
        checkout.configure(v2Weight=weight)
        checkout.deploy("up", engine).must_succeed()
        report = checkout.verify()
        assert report.ok, [check for check in report.checks if not check.ok]
        shares[weight] = [(each.v1, each.v2) for each in report.traffic]
    loops = len(CLUSTERS) * len(TrafficSource)
    assert shares == {0: [(report.requests, 0)] * loops, 100: [(0, report.requests)] * loops}


def test_after_a_shift_a_preview_shows_no_change(shift: dict[str, str], engine: Engine, checkout: Checkout) -> None:
    """The new weight is in the state."""
    del shift
    checkout.deploy("preview", engine, "--expect-no-changes").must_succeed()


def ingresses(engine: Engine, checkout: Checkout) -> list[str]:
    """Return the address of the application in each cluster."""
    clusters = stack_outputs(engine, checkout)["clusters"]
    return [f"http://{its['ingressAddress']}{names.HELLOWORLD_PATH}" for its in clusters.values()]


def made_root(engine: Engine) -> str:
    """Return the root's certificate, which is not secret, from the engine's state."""
    (root,) = (each for each in engine_state(engine) if each["type"].endswith("SelfSignedCert"))
    return str(root["outputs"]["certPem"]).strip()
