"""From facts to causes: each of the six, and combinations."""

from dataclasses import replace

import pytest

from ops.api import Workload
from ops.causes import REMEDIES, Cause, diagnose
from ops.facts import Credential, GatewayFacts, MeshFacts, ServiceFacts
from tests.support.mesh import (
    FOREIGN_ROOT,
    gateway_address,
    healthy_mesh,
    only_local,
    spoil,
    spoil_endpoints,
    spoil_remote,
)

Named = list[tuple[Cause, str | None, str | None]]
FOREIGN_ROOTS = {"istio-system": FOREIGN_ROOT, "sample": FOREIGN_ROOT}


def named(mesh: MeshFacts) -> Named:
    """Cause, cluster and peer of each finding."""
    return [(finding.cause, finding.cluster, finding.peer) for finding in diagnose(mesh)]


@pytest.mark.parametrize("names", [("east",), ("east", "west"), ("east", "west", "north")])
def test_a_healthy_mesh_has_no_cause(names: tuple[str, ...]) -> None:
    """One, two and three clusters."""
    assert named(healthy_mesh(names)) == []


def test_every_cause_has_a_remedy_of_one_line() -> None:
    """The list of six is closed."""
    assert set(REMEDIES) == set(Cause)
    assert len(Cause) == 6
    assert not any("\n" in remedy for remedy in REMEDIES.values())


def test_roots_that_differ_are_one_cause_of_the_whole_mesh() -> None:
    """It is said which root is where."""
    mesh = spoil(healthy_mesh(), "west", roots=FOREIGN_ROOTS)
    (finding,) = diagnose(mesh)
    assert finding.cause is Cause.ROOTS_DIFFER
    assert finding.cluster is None
    assert "a1a1a1a1a1a1 in east/istio-system, east/sample" in finding.seen
    assert "f0f0f0f0f0f0 in west/istio-system, west/sample" in finding.seen


def test_two_roots_trusted_everywhere_are_no_cause() -> None:
    """While a root is being changed, every cluster holds both."""
    both = {"istio-system": FOREIGN_ROOT | {"a1" * 32}, "sample": FOREIGN_ROOT | {"a1" * 32}}
    mesh = spoil(spoil(healthy_mesh(), "west", roots=both), "east", roots=both)
    assert named(mesh) == []


@pytest.mark.parametrize(
    "gateway",
    [
        GatewayFacts(workload=None),
        GatewayFacts(workload=Workload(wanted=0, ready=0), addresses=("198.18.12.2",), resolved=("198.18.12.2",)),
        GatewayFacts(workload=Workload(wanted=1, ready=1)),
    ],
    ids=["no deployment", "scaled to nothing", "no address"],
)
def test_a_gateway_without_pods_or_address_is_unreachable(gateway: GatewayFacts) -> None:
    """The API alone tells."""
    mesh = spoil(healthy_mesh(), "west", gateway=gateway)
    assert named(mesh) == [(Cause.GATEWAY_UNREACHABLE, "west", None)]


def test_a_gateway_that_nobody_reaches_is_unreachable() -> None:
    """Neither from here nor by a peer's sidecar."""
    mesh = healthy_mesh()
    gateway = replace(mesh.clusters[1].gateway, trouble="198.18.12.2:15443 timed out")
    mesh = spoil(mesh, "west", gateway=gateway)
    mesh = spoil_endpoints(mesh, "east", gateway_address("west"), answered=0, connect_failures=9)
    assert named(mesh) == [(Cause.GATEWAY_UNREACHABLE, "west", None)]


def test_a_gateway_that_only_the_peers_reach_is_fine() -> None:
    """A firewall may let in the peers and nobody else."""
    mesh = healthy_mesh()
    gateway = replace(mesh.clusters[1].gateway, trouble="198.18.12.2:15443 timed out")
    assert named(spoil(mesh, "west", gateway=gateway)) == []


def test_a_gateway_that_one_peer_does_not_reach_is_unreachable_from_there() -> None:
    """It answers from here, and another peer's traffic gets through."""
    mesh = healthy_mesh(("east", "west", "north"))
    mesh = spoil_endpoints(mesh, "east", gateway_address("west"), answered=0, connect_failures=9)
    (finding,) = diagnose(mesh)
    assert (finding.cause, finding.cluster) == (Cause.GATEWAY_UNREACHABLE, "west")
    assert finding.seen == "no connection from the sidecars of east"


@pytest.mark.parametrize("label", [None, "network-east"])
def test_a_missing_or_foreign_network_label_is_named(label: str | None) -> None:
    """Istio takes a wrong network for one as readily as none."""
    mesh = only_local(spoil(healthy_mesh(), "west", network_label=label), "east")
    assert named(mesh) == [(Cause.NETWORK_LABEL_MISSING, "west", None)]


@pytest.mark.parametrize("sync", ["timeout", "syncing", "closed", "not known to it"])
def test_a_peer_that_istiod_has_not_synced_is_named(sync: str) -> None:
    """The credential is right, and istiod still does not read the peer."""
    mesh = only_local(spoil_remote(healthy_mesh(), "east", "west", sync=sync), "east")
    assert named(mesh) == [(Cause.REMOTE_NOT_SYNCED, "east", "west")]


@pytest.mark.parametrize("credential", [Credential.ABSENT, Credential.UNLABELLED])
def test_a_remote_secret_that_istiod_does_not_read_is_a_peer_not_synced(credential: Credential) -> None:
    """No secret, or one without the label, is the same to istiod."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=credential, sync="not known to it")
    assert named(only_local(mesh, "east")) == [(Cause.REMOTE_NOT_SYNCED, "east", "west")]


def test_a_server_that_istiod_does_not_reach_is_a_peer_not_synced() -> None:
    """Nor is it reached from here; no credential was refused."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=Credential.UNREACHABLE, sync="timeout")
    assert named(mesh) == [(Cause.REMOTE_NOT_SYNCED, "east", "west")]


def test_a_server_that_only_istiod_reaches_is_fine() -> None:
    """The machine of the person need not reach it."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=Credential.UNREACHABLE)
    assert named(mesh) == []


def test_a_missing_service_is_named_with_its_cluster() -> None:
    """In the cluster where it is missing."""
    absent = ServiceFacts(present=False, detail="there is no Service sample/helloworld")
    mesh = only_local(spoil(healthy_mesh(), "west", service=absent), "east")
    assert named(mesh) == [(Cause.SERVICE_ABSENT, "west", None)]


@pytest.mark.parametrize(
    "credential", [Credential.REFUSED, Credential.WRONG_CA, Credential.FORBIDDEN, Credential.MALFORMED]
)
@pytest.mark.parametrize("sync", ["synced", "timeout", "not known to it"])
def test_a_wrong_credential_hides_that_its_peer_is_not_synced(credential: Credential, sync: str) -> None:
    """Not synced is what follows; the credential is what to mend, even while an old connection lives on."""
    mesh = only_local(spoil_remote(healthy_mesh(), "east", "west", credential=credential, sync=sync), "east")
    assert named(mesh) == [(Cause.CREDENTIAL_WRONG, "east", "west")]


def test_failed_connections_between_foreign_roots_do_not_blame_the_gateway() -> None:
    """A refused certificate looks like a refused connection to a sidecar."""
    mesh = spoil(healthy_mesh(), "west", roots=FOREIGN_ROOTS)
    mesh = spoil_endpoints(mesh, "east", gateway_address("west"), answered=0, connect_failures=9)
    assert named(mesh) == [(Cause.ROOTS_DIFFER, None, None)]


def test_a_gateway_that_is_down_is_named_beside_foreign_roots() -> None:
    """Two things broken on their own are two causes."""
    mesh = spoil(healthy_mesh(), "west", roots=FOREIGN_ROOTS, gateway=GatewayFacts(workload=None))
    assert named(mesh) == [(Cause.ROOTS_DIFFER, None, None), (Cause.GATEWAY_UNREACHABLE, "west", None)]


def test_links_in_both_directions_and_a_label_are_all_named() -> None:
    """No cause hides one in another place."""
    mesh = spoil_remote(healthy_mesh(), "east", "west", credential=Credential.REFUSED, sync="timeout")
    mesh = spoil_remote(mesh, "west", "east", sync="timeout")
    mesh = spoil(mesh, "east", network_label=None)
    assert named(mesh) == [
        (Cause.NETWORK_LABEL_MISSING, "east", None),
        (Cause.CREDENTIAL_WRONG, "east", "west"),
        (Cause.REMOTE_NOT_SYNCED, "west", "east"),
    ]


def test_nothing_is_concluded_from_a_cluster_that_was_not_seen() -> None:
    """An API that gives no answer leaves everything behind it unknown."""
    mesh = spoil(healthy_mesh(), "west", error="no connection", network_label=None, roots={}, remotes=())
    assert named(mesh) == []


def test_an_istiod_that_could_not_be_asked_is_no_unsynced_peer() -> None:
    """Not knowing is not the same as not synced."""
    assert named(spoil_remote(healthy_mesh(), "east", "west", sync="")) == []
