"""The report: which check shows a cause, and which only follows from it."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

import settings
from ops.api import Workload
from ops.causes import Cause
from ops.conclude import conclude
from ops.facts import Credential, GatewayFacts, MeshFacts, Way
from ops.report import Check, CheckId, Report, State
from ops.show import show
from tests.support.mesh import (
    FOREIGN_ROOT,
    gateway_address,
    healthy_mesh,
    loop,
    only_local,
    spoil,
    spoil_endpoints,
    spoil_remote,
)


def chosen(weight: int = 10) -> settings.Settings:
    """Settings of a stack with two clusters."""
    return settings.parse(
        {
            "mesh": {"id": "mcsps-lab"},
            "v2Weight": weight,
            "clusters": [
                {
                    "name": name,
                    "network": f"network-{name}",
                    "versions": [version],
                    "access": {"kind": "kubeconfig", "path": f"/nowhere/{name}"},
                }
                for name, version in (("east", "v1"), ("west", "v2"))
            ],
        }
    )


def report(mesh: MeshFacts, weight: int = 10) -> Report:
    """What `verify` says of such a mesh."""
    return conclude(mesh, chosen(weight), stack="lab", requests=1000)


def find(said: Report, check: CheckId, cluster: str, peer: str | None = None) -> Check:
    """The one check of that id and place."""
    (found,) = [entry for entry in said.checks if (entry.id, entry.cluster, entry.peer) == (check, cluster, peer)]
    return found


@pytest.mark.parametrize("names", [("east",), ("east", "west"), ("east", "west", "north")])
def test_a_healthy_mesh_holds(names: tuple[str, ...]) -> None:
    """Whatever the number of clusters, no check fails and none is left out."""
    said = report(healthy_mesh(names))
    assert said.ok
    assert {check.state for check in said.checks} == {State.PASSED}
    links = len(names) * (len(names) - 1)
    assert sum(check.id is CheckId.REMOTE_SYNCED for check in said.checks) == links
    assert [row.ok for row in said.traffic] == [True] * 2 * len(names)


def test_a_wrong_credential_is_shown_as_cause_and_its_effects_as_consequences() -> None:
    """Not synced, missing endpoints and failed traffic follow from the token."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=Credential.REFUSED, sync="timeout")
    said = report(only_local(mesh, "east"))
    assert find(said, CheckId.REMOTE_SECRET, "east", "west").cause is Cause.CREDENTIAL_WRONG
    for check in (CheckId.REMOTE_SYNCED, CheckId.ENDPOINTS):
        assert find(said, check, "east", "west").consequence_of is Cause.CREDENTIAL_WRONG
    (cause,) = said.causes
    assert cause.consequences == (
        "remote-synced in east of west",
        "endpoints in east of west",
        "traffic-client in east",
        "traffic-client in east",
    )
    assert not said.ok


def test_a_gateway_that_answers_from_here_alone_fails() -> None:
    """What counts is the peers' sidecars."""
    mesh = spoil_endpoints(healthy_mesh(), "east", gateway_address("west"), answered=0, connect_failures=9)
    said = report(mesh)
    gateway = find(said, CheckId.GATEWAY, "west")
    assert gateway.state is State.FAILED
    assert gateway.cause is Cause.GATEWAY_UNREACHABLE
    assert gateway.seen.endswith("address 198.18.12.2, but no connection from the sidecars of east")


def test_a_gateway_that_peers_alone_reach_is_a_warning() -> None:
    """It does not fail the whole."""
    mesh = healthy_mesh()
    gateway = replace(mesh.clusters[1].gateway, trouble="198.18.12.2:15443 timed out")
    said = report(spoil(mesh, "west", gateway=gateway))
    assert find(said, CheckId.GATEWAY, "west").state is State.WARNING
    assert said.ok


def test_a_server_that_istiod_alone_reaches_is_a_warning() -> None:
    """The person's machine need not reach the peer's API at the peers' address."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=Credential.UNREACHABLE)
    said = report(mesh)
    assert find(said, CheckId.REMOTE_SECRET, "east", "west").state is State.WARNING
    assert said.ok


def test_roots_that_differ_fail_in_every_cluster() -> None:
    """Nobody can say which of two is right."""
    said = report(spoil(healthy_mesh(), "west", roots={"istio-system": FOREIGN_ROOT, "sample": FOREIGN_ROOT}))
    for name in ("east", "west"):
        assert find(said, CheckId.MESH_ROOT, name).cause is Cause.ROOTS_DIFFER


def test_a_cluster_without_a_root_fails_without_a_cause() -> None:
    """It is unknown, not different: istiod writes the root, so that is where to look."""
    said = report(spoil(healthy_mesh(), "west", roots={}))
    root = find(said, CheckId.MESH_ROOT, "west")
    assert root.state is State.FAILED
    assert said.causes == ()
    assert root.remedy is not None


def test_a_cluster_that_gives_no_answer_fails_that_check_alone() -> None:
    """Its peers' endpoints are skipped, as its gateway's address is not known."""
    mesh = spoil(healthy_mesh(), "west", error="no connection: timed out", gateway=GatewayFacts(workload=None))
    mesh = replace(mesh, clients={"east": mesh.clients["east"]}, traffic=(loop("east"),))
    said = report(mesh)
    assert [check.id for check in said.checks if check.cluster == "west"] == [CheckId.API]
    assert find(said, CheckId.ENDPOINTS, "east", "west").state is State.SKIPPED
    assert not said.ok


def test_an_istiod_without_pods_is_not_ready() -> None:
    """Nothing wanted and nothing ready is no readiness."""
    said = report(spoil(healthy_mesh(), "east", istiod=Workload(wanted=0, ready=0)))
    assert not find(said, CheckId.ISTIOD, "east").ok


def test_a_client_pod_in_trouble_leaves_its_endpoints_unjudged() -> None:
    """One failure is said once."""
    mesh = healthy_mesh()
    client = replace(mesh.clients["east"], trouble="not ready after 60 s: client: ErrImagePull")
    said = report(replace(mesh, clients={**mesh.clients, "east": client}))
    assert "ErrImagePull" in find(said, CheckId.CLIENT, "east").seen
    assert not [c for c in said.checks if c.id is CheckId.ENDPOINTS and c.cluster == "east"]


def test_a_local_pod_that_the_sidecar_does_not_know_fails() -> None:
    """Expected and seen are both said."""
    said = report(spoil(healthy_mesh(), "east", local={"v1": ("10.42.0.9", "10.42.0.10")}))
    seen = find(said, CheckId.ENDPOINTS, "east").seen
    assert seen == "v1 wants 10.42.0.10:5000, the sidecar has 10.42.0.9:5000"


def test_a_wrong_split_fails_without_a_cause_where_nothing_else_is_wrong() -> None:
    """The weight may differ between config and mesh; that is none of the six."""
    said = report(healthy_mesh(), weight=50)
    traffic = find(said, CheckId.TRAFFIC_CLIENT, "east")
    assert traffic.state is State.FAILED
    assert traffic.cause is None
    assert "wanted 50.0% +-5.2%" in traffic.seen


def test_the_json_names_every_check_with_its_state_and_the_split_with_its_bound() -> None:
    """Machines read camelCase keys that are only ever added to."""
    mesh = spoil(healthy_mesh(), "west", network_label=None)
    said = json.loads(report(mesh).model_dump_json(by_alias=True))
    assert set(said) == {"stack", "mesh", "v2Weight", "requests", "checks", "traffic", "causes", "ok"}
    assert set(said["checks"][0]) == {
        "id", "cluster", "peer", "state", "seen", "cause", "consequenceOf", "remedy", "ok",
    }  # fmt: skip
    assert set(said["traffic"][0]) == {
        "cluster", "way", "url", "requests", "v1", "v2", "failed", "v1Share", "v2Share", "v2Expected", "bound",
        "instances", "errors", "ok",
    }  # fmt: skip
    assert set(said["causes"][0]) == {"cause", "cluster", "peer", "seen", "remedy", "consequences"}
    assert said["causes"][0]["cause"] == "network label missing"
    assert said["ok"] is False


def test_the_table_states_weight_number_and_bound_and_names_causes_with_their_remedy() -> None:
    """A person sees what was asked, what came, and what to do."""
    mesh = replace(healthy_mesh(), traffic=(replace(loop("east", Way.INGRESS), url="http://198.18.11.1/hello"),))
    out = io.StringIO()
    show(report(spoil(mesh, "west", network_label=None)), Console(file=out, width=160))
    text = out.getvalue()
    assert "stack lab, mesh mcsps-lab: v2 wanted 10 %, n = 1000 a loop, bound +-3.1%" in text
    assert "http://198.18.11.1/hello" in text
    assert "cause: network label missing in west" in text
    assert "remedy: label namespace istio-system" in text
    assert "does not hold" in text
