"""The report: checks that show a cause, and checks that fail as a consequence."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from ops.traffic.source import TrafficSource
from ops.verify.check import CheckState
from ops.verify.checks.consistency import CLUSTERS_DIFFER
from ops.verify.checks.gateway_reachable import GATEWAY_UNREACHABLE
from ops.verify.checks.mesh_root import ROOTS_DIFFER
from ops.verify.diagnosis import conclude
from ops.verify.facts import MeshFacts
from ops.verify.gateways import GatewayFacts
from ops.verify.links import CREDENTIAL_WRONG
from ops.verify.remote import CredentialState
from ops.verify.report import CheckResult, Report
from ops.verify.table import show
from tests.support.mesh import (
    FOREIGN_CA,
    FOREIGN_ROOT,
    SHARED,
    block,
    gateway,
    gateway_address,
    healthy_mesh,
    hide,
    loop,
    only_local,
    spoil,
    spoil_client,
    spoil_endpoints,
    spoil_remote,
    stack_settings,
)


def report(mesh: MeshFacts, weight: int = 10, *audiences: Mapping[str, object]) -> Report:
    """Return the report of `verify` for this mesh."""
    return conclude(mesh, stack_settings(weight, *audiences), stack="lab", requests=1000)


def find(said: Report, check: str, cluster: str, peer: str | None = None) -> CheckResult:
    """Return the only result with this id and place."""
    (found,) = [entry for entry in said.checks if (entry.id, entry.cluster, entry.peer) == (check, cluster, peer)]
    return found


@pytest.mark.parametrize("names", [("east",), ("east", "west"), ("east", "west", "north")])
def test_a_healthy_mesh_holds(names: tuple[str, ...]) -> None:
    """For any number of clusters, no check fails and no check is missing."""
    said = report(healthy_mesh(names))
    assert said.ok
    skipped = {check.id for check in said.checks if check.state is not CheckState.PASSED}
    # Without a peer, no client pod tries the gateway.
    assert skipped == ({"gateway-reachable"} if len(names) == 1 else set())
    links = len(names) * (len(names) - 1)
    assert sum(check.id == "remote-synced" for check in said.checks) == links
    assert [row.ok for row in said.traffic] == [True] * 2 * len(names)


def test_a_wrong_credential_is_shown_as_cause_and_its_effects_as_consequences() -> None:
    """The missing sync, the missing endpoints and the failed traffic are consequences of the token."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=CredentialState.REFUSED, sync="timeout")
    said = report(only_local(mesh, "east"))
    assert find(said, "remote-secret", "east", "west").cause == CREDENTIAL_WRONG.name
    for check in ("remote-synced", "endpoints", "crossing"):
        assert find(said, check, "east", "west").consequence_of == CREDENTIAL_WRONG.name
    (cause,) = said.causes
    assert cause.consequences == (
        "remote-synced in east of west",
        "endpoints in east of west",
        "crossing in east of west",
        "traffic-client in east",
        "traffic-client in east",
    )
    assert not said.ok


def test_a_gateway_out_of_reach_fails_and_explains_what_did_not_cross() -> None:
    """The result depends on the connections of the peers' pods and sidecars."""
    said = report(block(healthy_mesh(), "east", gateway_address("west")))
    seen = find(said, "gateway-reachable", "west")
    assert (seen.state, seen.cause) == (CheckState.FAILED, GATEWAY_UNREACHABLE.name)
    assert seen.seen.endswith("address 198.18.12.2, no connection from east to 198.18.12.2:15443 (Connection refused)")
    crossing = find(said, "crossing", "east", "west")
    assert (crossing.state, crossing.consequence_of) == (CheckState.FAILED, GATEWAY_UNREACHABLE.name)


def test_a_gateway_that_lets_no_sidecar_through_fails_though_it_takes_connections() -> None:
    """The failed requests of the sidecars decide the result."""
    mesh = spoil_endpoints(healthy_mesh(), "east", gateway_address("west"), answered=0, connect_failures=9)
    seen = find(report(mesh), "gateway-reachable", "west")
    assert (seen.state, seen.cause) == (CheckState.FAILED, GATEWAY_UNREACHABLE.name)
    assert "reached from east, but it takes connections" in seen.seen


def test_a_dead_address_beside_a_good_one_is_a_warning_that_names_it() -> None:
    """Half of the connections would wait for this address."""
    mesh = spoil(healthy_mesh(), "west", gateway=gateway("west", gateway_address("west"), "198.18.12.3"))
    said = report(block(mesh, "east", "198.18.12.3"))
    seen = find(said, "gateway-reachable", "west")
    assert seen.state is CheckState.WARNING
    assert "no connection from east to 198.18.12.3:15443 (Connection refused)" in seen.seen
    assert said.ok


@pytest.mark.parametrize(("weight", "exercised"), [(0, "west"), (100, "east")])
def test_at_the_ends_only_what_the_weight_asks_for_has_to_cross(weight: int, exercised: str) -> None:
    """All requests go to one cluster. A gateway that got no requests is skipped, and never passes."""
    idle = "west" if exercised == "east" else "east"
    mesh = spoil_endpoints(healthy_mesh(), idle, gateway_address(exercised), answered=0)
    v1, v2 = (1000, 0) if weight == 0 else (0, 1000)
    mesh = replace(
        mesh, traffic=tuple(loop(name, source, v1=v1, v2=v2) for name in ("east", "west") for source in TrafficSource)
    )
    said = report(mesh, weight=weight)
    assert find(said, "crossing", idle, exercised).state is CheckState.SKIPPED
    assert find(said, "crossing", exercised, idle).state is CheckState.PASSED
    assert said.ok


@pytest.mark.parametrize(("weight", "client", "peer"), [(0, "west", "east"), (100, "east", "west")])
def test_at_the_ends_requests_that_had_to_cross_and_did_not_fail(weight: int, client: str, peer: str) -> None:
    """This holds wherever the answers came from."""
    mesh = spoil_endpoints(healthy_mesh(), client, gateway_address(peer), answered=0)
    assert find(report(mesh, weight=weight), "crossing", client, peer).state is CheckState.FAILED


def test_a_version_that_others_run_too_need_not_come_from_a_certain_peer() -> None:
    """Istio does not guarantee how requests are distributed over clusters with the same version."""
    mesh = spoil(healthy_mesh(("east", "west", "north")), "north", versions=("v2",), local={"v2": ("10.42.0.9",)})
    mesh = spoil_endpoints(mesh, "east", gateway_address("west"), answered=0)
    assert find(report(mesh), "crossing", "east", "west").state is CheckState.SKIPPED


def test_a_gateway_that_no_peer_tried_is_skipped() -> None:
    """Its state is unknown."""
    mesh = spoil_client(healthy_mesh(), "east", gateways={}, error="not ready after 60 s")
    assert find(report(mesh), "gateway-reachable", "west").state is CheckState.SKIPPED


@pytest.mark.parametrize(
    ("attribute", "check"),
    [
        ("istiod", "istiod-ready"),
        ("network_label", "network-label"),
        ("roots", "mesh-root"),
        ("certificates", "mesh-root"),
        ("service", "service-present"),
        ("gateway", "gateway-reachable"),
        ("local", "endpoints"),
    ],
)
def test_what_the_api_did_not_show_fails_alone_and_says_why(attribute: str, check: str) -> None:
    """All other checks of the cluster are evaluated as usual."""
    said = report(hide(healthy_mesh(), "west", attribute, "the API answered 403 Forbidden"))
    (failed,) = [each for each in said.checks if not each.ok]
    assert (failed.id, failed.cluster) == (check, "west")
    assert failed.seen == "could not be read: the API answered 403 Forbidden"
    assert failed.remedy is not None
    assert "credential" in failed.remedy


@pytest.mark.parametrize("credential", [CredentialState.UNREACHABLE, CredentialState.NO_API, CredentialState.NOT_READ])
def test_a_secret_that_istiod_alone_can_try_is_a_warning(credential: CredentialState) -> None:
    """The user's machine may lack a connection to the peer's API, or the user may lack the right to read Secrets."""
    said = report(spoil_remote(healthy_mesh(), "east", "west", credential=credential))
    assert find(said, "remote-secret", "east", "west").state is CheckState.WARNING
    assert said.ok


def test_an_istiod_that_gave_no_answer_fails_with_its_reason_and_no_cause() -> None:
    """The answer of one of two istiods is not enough."""
    said = report(
        spoil_remote(healthy_mesh(), "east", "west", sync="", query_error="istiod-5f gave no list of clusters")
    )
    check = find(said, "remote-synced", "east", "west")
    assert check.state is CheckState.FAILED
    assert "istiod-5f" in check.seen
    assert said.causes == ()


def test_pods_of_another_root_fail_in_every_cluster() -> None:
    """It is unknown which of the two roots is the right one."""
    said = report(spoil_client(healthy_mesh(), "east", certificates=FOREIGN_CA.certificates()))
    assert [find(said, "mesh-root", name).cause for name in ("east", "west")] == [ROOTS_DIFFER.name] * 2


def test_roots_that_differ_fail_in_every_cluster() -> None:
    """It is unknown which of the two roots is the right one."""
    said = report(spoil(healthy_mesh(), "west", roots={"istio-system": FOREIGN_ROOT, "sample": FOREIGN_ROOT}))
    for name in ("east", "west"):
        assert find(said, "mesh-root", name).cause == ROOTS_DIFFER.name


def test_a_cluster_without_a_root_fails_without_a_cause() -> None:
    """The root is unknown, not different. The remedy names istiod, which writes the root."""
    said = report(spoil(healthy_mesh(), "west", roots={}))
    root = find(said, "mesh-root", "west")
    assert root.state is CheckState.FAILED
    assert said.causes == ()
    assert root.remedy is not None


def test_a_route_that_is_another_in_one_cluster_explains_its_traffic() -> None:
    """It is unknown which of the two clusters is right, so both fail."""
    other = {**SHARED, "VirtualService sample/helloworld": {"spec": {"hosts": ["*"], "http": []}}}
    mesh = replace(spoil(healthy_mesh(), "west", shared=other), traffic=(loop("west", v1=1000, v2=0),))
    said = report(mesh)
    for cluster, seen in (
        ("east", "a list of 1 in east, a list of 0 in west"),
        ("west", "a list of 0 in west, a list"),
    ):
        check = find(said, "sameness", cluster)
        assert (check.state, check.cause) == (CheckState.FAILED, CLUSTERS_DIFFER.name)
        assert check.seen.startswith(f"VirtualService sample/helloworld spec.http is {seen}")
    assert find(said, "traffic-client", "west").consequence_of == CLUSTERS_DIFFER.name


def test_each_loop_is_judged_by_what_its_requests_are_to_get() -> None:
    """A region decides at its ingress, a header at every ingress, and the weight in all other cases."""
    audiences = (
        {"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}},
        {"name": "east", "version": "v1", "region": "region-east"},
    )
    loops = (
        loop("east", TrafficSource.INGRESS, v1=1000, v2=0),
        replace(loop("east", TrafficSource.INGRESS, v1=0, v2=100, requests=100), audience="team"),
        loop("west", TrafficSource.INGRESS),
        replace(loop("west", TrafficSource.INGRESS, v1=1, v2=99, requests=100), audience="team"),
    )
    said = report(replace(healthy_mesh(), traffic=loops), 10, *audiences)
    assert [(row.v2_expected, row.ok) for row in said.traffic] == [(0, True), (1, True), (0.1, True), (1, False)]
    (failed,) = [check for check in said.checks if not check.ok]
    assert failed.seen.startswith("audience team, 100 requests: v1 1, v2 99, failed 0; v2 99.0%, wanted 100.0%")
    # All requests from east must get v1, which runs there, so none has to cross.
    assert find(said, "crossing", "west", "east").state is CheckState.PASSED


def test_nothing_has_to_cross_where_a_region_gets_what_it_runs() -> None:
    """By weight, one tenth of the requests would cross."""
    mesh = spoil_endpoints(healthy_mesh(), "east", gateway_address("west"), answered=0)
    mesh = replace(mesh, traffic=(loop("east", v1=1000, v2=0),))
    audience = {"name": "east", "version": "v1", "region": "region-east"}
    assert find(report(mesh), "crossing", "east", "west").state is CheckState.FAILED
    assert find(report(mesh, 10, audience), "crossing", "east", "west").state is CheckState.SKIPPED


def test_a_cluster_with_several_differences_tells_their_number() -> None:
    """The text also contains the first difference."""
    said = report(spoil(healthy_mesh(("east", "west", "north")), "west", shared={}))
    assert find(said, "sameness", "west").seen.endswith("missing in west, there in east, there in north; and 1 more")
    assert find(said, "sameness", "east").state is CheckState.PASSED


def test_a_cluster_that_gives_no_answer_fails_that_check_alone() -> None:
    """The endpoints are skipped, because its gateway's address is unknown. The links fail as a consequence."""
    mesh = spoil(healthy_mesh(), "west", error="no connection: timed out", gateway=GatewayFacts(workload=None))
    mesh = replace(mesh, clients={"east": mesh.clients["east"]}, traffic=(loop("east"),))
    mesh = spoil_remote(mesh, "east", "west", credential=CredentialState.UNREACHABLE, sync="timeout")
    said = report(mesh)
    assert [check.id for check in said.checks if check.cluster == "west"] == ["api-reachable"]
    assert find(said, "endpoints", "east", "west").state is CheckState.SKIPPED
    for check in ("remote-secret", "remote-synced"):
        assert find(said, check, "east", "west").consequence_of == "api-reachable"
    assert not said.ok


def test_a_client_pod_in_trouble_leaves_its_endpoints_unjudged() -> None:
    """One failure is reported once."""
    mesh = healthy_mesh()
    client = replace(mesh.clients["east"], error="not ready after 60 s: client: ErrImagePull")
    said = report(replace(mesh, clients={**mesh.clients, "east": client}))
    assert "ErrImagePull" in find(said, "client-pod", "east").seen
    assert not [c for c in said.checks if c.id == "endpoints" and c.cluster == "east"]


def test_a_local_pod_that_the_sidecar_does_not_know_fails() -> None:
    """The text contains the expected and the actual endpoints."""
    said = report(spoil(healthy_mesh(), "east", local={"v1": ("10.42.0.9", "10.42.0.10")}))
    seen = find(said, "endpoints", "east").seen
    assert seen == "v1 wants 10.42.0.10:5000, the sidecar has 10.42.0.9:5000"


def test_a_wrong_split_fails_without_a_cause_where_nothing_else_is_wrong() -> None:
    """The weight may differ between config and mesh. This is none of the named causes."""
    said = report(healthy_mesh(), weight=50)
    traffic = find(said, "traffic-client", "east")
    assert traffic.state is CheckState.FAILED
    assert traffic.cause is None
    assert "wanted 50.0% +-5.2%" in traffic.seen


def test_the_json_names_every_check_with_its_state_and_the_split_with_its_bound() -> None:
    """Machines read its camelCase keys. New versions may add keys, but never remove any."""
    mesh = spoil(healthy_mesh(), "west", network_label=None)
    said = json.loads(report(mesh).model_dump_json(by_alias=True))
    assert set(said) == {"stack", "mesh", "v2Weight", "requests", "away", "checks", "traffic", "causes", "ok"}
    assert set(said["checks"][0]) == {
        "id", "cluster", "peer", "state", "seen", "cause", "consequenceOf", "remedy", "ok",
    }  # fmt: skip
    assert set(said["traffic"][0]) == {
        "cluster", "way", "audience", "url", "requests", "v1", "v2", "failed", "v1Share", "v2Share", "v2Expected",
        "bound", "instances", "errors", "ok",
    }  # fmt: skip
    assert set(said["causes"][0]) == {"cause", "cluster", "peer", "seen", "remedy", "consequences"}
    assert said["causes"][0]["cause"] == "network label missing"
    assert said["ok"] is False


def test_the_table_states_weight_number_and_bound_and_names_causes_with_their_remedy() -> None:
    """The user reads the configured split, the actual split, and the remedy."""
    mesh = replace(
        healthy_mesh(), traffic=(replace(loop("east", TrafficSource.INGRESS), url="http://198.18.11.1/hello"),)
    )
    out = io.StringIO()
    show(report(spoil(mesh, "west", network_label=None)), Console(file=out, width=160))
    text = out.getvalue()
    assert "stack lab, mesh mcsps-lab: v2 wanted 10 %, n = 1000 a loop, bound +-3.1%" in text
    assert "http://198.18.11.1/hello" in text
    assert "cause: network label missing in west" in text
    assert "remedy: `pulumi up --refresh` labels namespace istio-system" in text
    assert "does not hold" in text
    audience = {"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}}
    show(
        report(replace(mesh, traffic=(replace(mesh.traffic[0], audience="team"),)), 10, audience),
        Console(file=out, width=160),
    )
    assert "east ingress team" in out.getvalue()
