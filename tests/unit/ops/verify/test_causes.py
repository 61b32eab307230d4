"""The causes that follow from the facts, alone and in combinations."""

from dataclasses import replace

import pytest

from ops.cluster.views import ServiceView, Workload
from ops.verify.checks import CAUSES
from ops.verify.checks.api_reachable import API_UNREACHABLE
from ops.verify.checks.consistency import CLUSTERS_DIFFER
from ops.verify.checks.gateway_reachable import GATEWAY_UNREACHABLE
from ops.verify.checks.mesh_root import ROOTS_DIFFER
from ops.verify.checks.network_label import NETWORK_LABEL_MISSING
from ops.verify.checks.service_present import SERVICE_ABSENT, ServiceFacts
from ops.verify.diagnosis import diagnose
from ops.verify.facts import MeshFacts
from ops.verify.gateways import GatewayFacts
from ops.verify.links import CREDENTIAL_WRONG, REMOTE_NOT_SYNCED
from ops.verify.remote import CredentialState
from ops.verify.report import NamedCause
from tests.support.mesh import (
    FOREIGN_CA,
    FOREIGN_ROOT,
    MESH_CA,
    ROOT,
    SHARED,
    UNKNOWN,
    block,
    gateway,
    gateway_address,
    healthy_mesh,
    hide,
    only_local,
    spoil,
    spoil_client,
    spoil_endpoints,
    spoil_remote,
    stack_settings,
)

Named = list[tuple[str, str | None, str | None]]
FOREIGN_ROOTS = {"istio-system": FOREIGN_ROOT, "sample": FOREIGN_ROOT}


def causes(mesh: MeshFacts) -> tuple[NamedCause, ...]:
    """Return the causes that `verify` finds."""
    return diagnose(mesh, stack_settings()).causes


def named(mesh: MeshFacts) -> Named:
    """Return the name, cluster and peer of each cause."""
    return [(cause.cause, cause.cluster, cause.peer) for cause in causes(mesh)]


@pytest.mark.parametrize("names", [("east",), ("east", "west"), ("east", "west", "north")])
def test_a_healthy_mesh_has_no_cause(names: tuple[str, ...]) -> None:
    """This holds for one, two and three clusters."""
    assert named(healthy_mesh(names)) == []


def test_every_cause_has_a_remedy_of_one_line() -> None:
    """Machines read the names of these causes. A new check may add a cause."""
    seven = [
        "roots differ",
        "network label missing",
        "Service absent in one cluster",
        "clusters differ",
        "the remote secret's token or CA wrong",
        "remote cluster not synced",
        "east-west gateway unreachable",
    ]
    assert [cause.name for cause in CAUSES if cause.name in seven] == seven
    assert not any("\n" in text or not text for cause in CAUSES for text in (cause.remedy, cause.meaning))


def test_roots_that_differ_are_one_cause_of_the_whole_mesh() -> None:
    """The text contains each root and where it is."""
    mesh = spoil(healthy_mesh(), "west", roots=FOREIGN_ROOTS)
    (finding,) = causes(mesh)
    assert finding.cause == ROOTS_DIFFER.name
    assert finding.cluster is None
    assert "a1a1a1a1a1a1 in east/istio-system, east/sample" in finding.seen
    assert "f0f0f0f0f0f0 in west/istio-system, west/sample" in finding.seen


@pytest.mark.parametrize("peers", [ROOT, FOREIGN_ROOT, ROOT | FOREIGN_ROOT])
def test_two_roots_in_some_clusters_are_no_cause_while_all_have_one_in_common(peers: frozenset[str]) -> None:
    """During a change of the root, a cluster that trusts both works with peers that trust either one."""
    both = {"istio-system": ROOT | FOREIGN_ROOT, "sample": ROOT | FOREIGN_ROOT}
    mesh = spoil(healthy_mesh(), "west", roots=both)
    assert named(spoil(mesh, "east", roots={"istio-system": peers, "sample": peers})) == []


def test_pods_with_certificates_of_another_root_are_found_though_the_config_maps_agree() -> None:
    """After a restart of istiod alone, new pods have certificates that the old pods do not trust."""
    mesh = spoil_client(healthy_mesh(), "east", certificates=FOREIGN_CA.certificates())
    (finding,) = causes(spoil_endpoints(mesh, "east", gateway_address("west"), answered=0, connect_failures=9))
    assert finding.cause == ROOTS_DIFFER.name
    assert "in east/helloworld-east, west/helloworld-west, west/mcsps-verify-0a1b2c3d" in finding.seen
    assert finding.seen.endswith("in east/mcsps-verify-0a1b2c3d")


def test_a_pod_that_trusts_the_new_root_too_is_no_cause() -> None:
    """All pods trust the old root, which signed the pod's own certificate."""
    mesh = spoil(healthy_mesh(), "west", certificates={"helloworld-west": MESH_CA.certificates(FOREIGN_CA)})
    assert named(mesh) == []


def test_a_pod_of_the_new_root_is_a_cause_while_one_trusts_the_old_alone() -> None:
    """Both pods must trust each other. The text contains the roots that each one trusts."""
    mesh = spoil(healthy_mesh(), "west", certificates={"helloworld-west": FOREIGN_CA.certificates(MESH_CA)})
    (finding,) = causes(mesh)
    assert finding.cause == ROOTS_DIFFER.name
    assert "(trusting " in finding.seen


@pytest.mark.parametrize(
    "broken",
    [
        GatewayFacts(workload=None),
        gateway("west", ready=0),
        GatewayFacts(workload=Workload(wanted=1, ready=1)),
    ],
    ids=["no deployment", "no ready pod", "no address"],
)
@pytest.mark.parametrize("names", [("west",), ("east", "west")])
def test_a_gateway_without_pods_or_address_is_unreachable(names: tuple[str, ...], broken: GatewayFacts) -> None:
    """The cluster's API is enough to find this, even if no peer uses the gateway."""
    mesh = spoil(healthy_mesh(names), "west", gateway=broken)
    assert named(mesh) == [(GATEWAY_UNREACHABLE.name, "west", None)]


def test_a_gateway_that_no_peers_pod_reaches_is_unreachable() -> None:
    """The text contains the source, the address and the reason."""
    (finding,) = causes(block(healthy_mesh(), "east", gateway_address("west")))
    assert (finding.cause, finding.cluster) == (GATEWAY_UNREACHABLE.name, "west")
    assert finding.seen == "no connection from east to 198.18.12.2:15443 (Connection refused)"


def test_a_gateway_out_of_reach_is_named_though_no_request_went_there() -> None:
    """At a weight of 0 the sidecars send no requests to the gateway."""
    mesh = block(healthy_mesh(), "east", gateway_address("west"))
    mesh = spoil_endpoints(mesh, "east", gateway_address("west"), connect_failures=0)
    assert named(mesh) == [(GATEWAY_UNREACHABLE.name, "west", None)]


def test_a_gateway_that_one_of_two_peers_does_not_reach_is_unreachable_from_there() -> None:
    """The traffic of the other peer still reaches the gateway."""
    mesh = block(healthy_mesh(("east", "west", "north")), "east", gateway_address("west"))
    assert named(mesh) == [(GATEWAY_UNREACHABLE.name, "west", None)]


def test_a_gateway_with_one_dead_address_of_two_is_no_cause() -> None:
    """The other address still accepts connections."""
    mesh = spoil(healthy_mesh(), "west", gateway=gateway("west", gateway_address("west"), "198.18.12.3"))
    assert named(block(mesh, "east", "198.18.12.3")) == []


def test_a_gateway_that_lets_no_sidecar_through_is_unreachable() -> None:
    """The gateway accepts connections, and forwards none of their requests."""
    mesh = spoil_endpoints(healthy_mesh(), "east", gateway_address("west"), answered=0, connect_failures=9)
    (finding,) = causes(mesh)
    assert (finding.cause, finding.cluster) == (GATEWAY_UNREACHABLE.name, "west")
    assert finding.seen == "it takes connections, and lets none through of the sidecars of east"


def test_a_gateway_that_cannot_forward_to_a_missing_service_is_no_cause() -> None:
    """The Service's port may be missing alone, so its endpoints are known."""
    mesh = spoil_endpoints(healthy_mesh(), "east", gateway_address("west"), answered=0, connect_failures=9)
    absent = ServiceFacts(present=False, detail="Service sample/helloworld has no port 5000")
    assert named(spoil(mesh, "west", service=absent)) == [(SERVICE_ABSENT.name, "west", None)]


def test_failed_connections_beside_answers_bar_nobody() -> None:
    """A gateway refuses the first connections directly after its start."""
    assert named(spoil_endpoints(healthy_mesh(), "east", gateway_address("west"), connect_failures=9)) == []


def test_nothing_is_concluded_of_a_gateway_that_no_peer_tried() -> None:
    """A client pod that did not start provides no evidence."""
    assert named(spoil_client(healthy_mesh(), "east", gateways={}, endpoints=(), error="no client pod")) == []


@pytest.mark.parametrize("label", [None, "network-east"])
def test_a_missing_or_foreign_network_label_is_named(label: str | None) -> None:
    """Istio accepts a wrong network label as readily as a missing one."""
    mesh = only_local(spoil(healthy_mesh(), "west", network_label=label), "east")
    assert named(mesh) == [(NETWORK_LABEL_MISSING.name, "west", None)]


@pytest.mark.parametrize("sync", ["timeout", "syncing", "closed", "not known to it"])
def test_a_peer_that_istiod_has_not_synced_is_named(sync: str) -> None:
    """The credential is valid, but istiod still does not read the peer."""
    mesh = only_local(spoil_remote(healthy_mesh(), "east", "west", sync=sync), "east")
    assert named(mesh) == [(REMOTE_NOT_SYNCED.name, "east", "west")]


@pytest.mark.parametrize("credential", [CredentialState.ABSENT, CredentialState.UNLABELLED])
def test_a_remote_secret_that_istiod_does_not_read_is_a_peer_not_synced(credential: CredentialState) -> None:
    """A missing secret and a secret without the label have the same effect on istiod."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=credential, sync="not known to it")
    assert named(only_local(mesh, "east")) == [(REMOTE_NOT_SYNCED.name, "east", "west")]


def test_a_server_that_istiod_does_not_reach_is_a_peer_not_synced() -> None:
    """This machine does not reach the server either, so no server refused the credential."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=CredentialState.UNREACHABLE, sync="timeout")
    assert named(mesh) == [(REMOTE_NOT_SYNCED.name, "east", "west")]


def test_a_server_that_only_istiod_reaches_is_fine() -> None:
    """The user's machine does not need a connection to the server."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=CredentialState.UNREACHABLE)
    assert named(mesh) == []


def test_clusters_that_differ_are_one_cause_of_the_whole_mesh() -> None:
    """The text contains the object, the field and the value of each cluster."""
    other = {**SHARED, "VirtualService sample/helloworld": {"spec": {"hosts": ["a.example"]}}}
    (finding,) = causes(spoil(healthy_mesh(("east", "west", "north")), "west", shared=other))
    assert (finding.cause, finding.cluster, finding.peer) == (CLUSTERS_DIFFER.name, None, None)
    assert finding.seen == (
        'VirtualService sample/helloworld spec.hosts[0] is "a.example" in west, "*" in east, "*" in north; '
        "VirtualService sample/helloworld spec.http is missing in west, a list of 1 in east, a list of 1 in north"
    )


def test_of_many_differences_the_first_are_told() -> None:
    """An emptied namespace causes as many differences as it contained objects."""
    many = {**SHARED, **{f"Service sample/s-{number}": {"ports": {}} for number in range(6)}}
    (finding,) = causes(spoil(healthy_mesh(("east", "west", "north")), "west", shared=many))
    assert finding.seen.count(" is there in west, missing in east, missing in north") == 4
    assert finding.seen.endswith("; and 2 more")


def test_a_missing_service_is_no_difference_beside_its_own_cause() -> None:
    """All other differences are reported."""
    mesh = spoil(
        healthy_mesh(), "west", service=ServiceFacts(present=False, detail="there is no Service sample/helloworld")
    )
    gone = {place: needed for place, needed in SHARED.items() if place.startswith("Virtual")}
    assert named(spoil(mesh, "west", shared=gone)) == [(SERVICE_ABSENT.name, "west", None)]
    assert [cause for cause, _, _ in named(spoil(mesh, "west", shared={}))] == [
        SERVICE_ABSENT.name,
        CLUSTERS_DIFFER.name,
    ]


def test_a_missing_service_is_named_with_its_cluster() -> None:
    """The cause belongs to the cluster without the Service."""
    absent = ServiceFacts(present=False, detail="there is no Service sample/helloworld")
    mesh = only_local(spoil(healthy_mesh(), "west", service=absent), "east")
    assert named(mesh) == [(SERVICE_ABSENT.name, "west", None)]


@pytest.mark.parametrize(
    "credential",
    [CredentialState.REFUSED, CredentialState.WRONG_CA, CredentialState.FORBIDDEN, CredentialState.MALFORMED],
)
@pytest.mark.parametrize("sync", ["synced", "timeout", "not known to it"])
def test_a_wrong_credential_hides_that_its_peer_is_not_synced(credential: CredentialState, sync: str) -> None:
    """The missing sync is a consequence. The credential is the cause, even while an old connection still works."""
    mesh = only_local(spoil_remote(healthy_mesh(), "east", "west", credential=credential, sync=sync), "east")
    assert named(mesh) == [(CREDENTIAL_WRONG.name, "east", "west")]


@pytest.mark.parametrize("label", [None, "network-east"])
def test_a_gateways_service_without_its_network_is_named(label: str | None) -> None:
    """Peers find the gateway of a network by this label."""
    labels = {"topology.istio.io/network": label} if label else {}
    service = ServiceView(labels=labels, ports=(15443,), addresses=(gateway_address("west"),))
    mesh = only_local(spoil(healthy_mesh(), "west", gateway=replace(gateway("west"), service=service)), "east")
    (finding,) = causes(mesh)
    assert (finding.cause, finding.cluster) == (NETWORK_LABEL_MISSING.name, "west")
    assert finding.seen == f"Service istio-eastwestgateway has {label or 'none'}, wanted is network-west"


def test_failed_connections_between_foreign_roots_do_not_blame_the_gateway() -> None:
    """To a sidecar, a refused certificate looks like a refused connection."""
    mesh = spoil(healthy_mesh(), "west", roots=FOREIGN_ROOTS)
    mesh = spoil_endpoints(mesh, "east", gateway_address("west"), answered=0, connect_failures=9)
    assert named(mesh) == [(ROOTS_DIFFER.name, None, None)]


def test_a_gateway_that_is_down_is_named_beside_foreign_roots() -> None:
    """Two independent failures are two causes."""
    mesh = spoil(healthy_mesh(), "west", roots=FOREIGN_ROOTS, gateway=GatewayFacts(workload=None))
    assert named(mesh) == [(ROOTS_DIFFER.name, None, None), (GATEWAY_UNREACHABLE.name, "west", None)]


def test_links_in_both_directions_and_a_label_are_all_named() -> None:
    """No cause hides a cause of another place."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=CredentialState.REFUSED, sync="timeout")
    mesh = spoil_remote(mesh, "west", "east", sync="timeout")
    mesh = spoil(mesh, "east", network_label=None)
    assert named(mesh) == [
        (NETWORK_LABEL_MISSING.name, "east", None),
        (CREDENTIAL_WRONG.name, "east", "west"),
        (REMOTE_NOT_SYNCED.name, "west", "east"),
    ]


def test_nothing_is_concluded_from_a_cluster_that_was_not_seen() -> None:
    """If an API does not answer, all other facts of its cluster are unknown."""
    mesh = spoil(healthy_mesh(), "west", error="no connection", network_label=None, roots={}, remotes=())
    assert named(mesh) == [(API_UNREACHABLE.name, "west", None)]


def test_a_peer_whose_api_gives_no_answer_is_no_fault_of_those_that_read_it() -> None:
    """A link to this peer cannot be synced, so only a secret that is certainly wrong is a cause."""
    mesh = spoil(healthy_mesh(), "west", error="no connection: timed out")
    silent = spoil_remote(mesh, "east", "west", credential=CredentialState.UNREACHABLE, sync="timeout")
    assert named(silent) == [(API_UNREACHABLE.name, "west", None)]
    absent = spoil_remote(mesh, "east", "west", credential=CredentialState.ABSENT, sync="not known to it")
    assert named(absent) == [(API_UNREACHABLE.name, "west", None), (REMOTE_NOT_SYNCED.name, "east", "west")]


@pytest.mark.parametrize("attribute", UNKNOWN)
def test_nothing_is_concluded_from_what_the_api_did_not_show(attribute: str) -> None:
    """An unknown fact does not count as a missing object."""
    assert named(hide(healthy_mesh(), "west", attribute, "403")) == []


def test_an_istiod_that_could_not_be_asked_is_no_unsynced_peer() -> None:
    """An unknown sync status does not count as not synced."""
    assert named(spoil_remote(healthy_mesh(), "east", "west", sync="")) == []
