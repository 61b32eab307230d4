"""The conversion of settings and secrets to the Args of the components."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pulumi_rancher2 as rancher2
import pytest

from components import (
    Ca,
    GeneratedRootArgs,
    MeshLinkArgs,
    PeersUserArgs,
    PeerToken,
    ProvidedRootArgs,
    RancherAccessArgs,
    RancherCluster,
    RancherTokenArgs,
    Readiness,
    ServiceAccountArgs,
)
from config import preflight
from config.loader import load
from config.parsing import parse
from config.preflight import LookUp, Preflight
from config.secrets import Secrets
from tests.support import pems, recording
from tests.support.bad_config import BY_OPERATOR, Place, put
from tests.support.leaks import fake_secret
from tests.support.preflight import TODAY, answer, find_by_config
from tests.support.recording import RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, RANCHER, Stack, kubeconfig, load_values
from wiring import Wiring

Body = Callable[[Wiring], None]
RANCHER_URL = load_values(RANCHER)["rancher"]["url"]
A_CA = pems.make_root(pems.make_key())


def run(stack: Stack, body: Body, *, now: datetime = TODAY, look_up: LookUp = find_by_config) -> RecordingMonitor:
    """Call `body` with the wiring of a stack's config."""

    def wired() -> None:
        settings, secrets = load(pulumi.Config())
        body(Wiring(settings=settings, secrets=secrets, found=preflight.run(settings, secrets, now, look_up, answer)))

    monitor = RecordingMonitor(preview=False, stack=stack.name)
    stack.run_on(monitor, wired)
    return monitor


def changed(stack: Stack, place: Place, value: object) -> Stack:
    """Return a stack with another value at one place."""
    return Stack(name=stack.name, values=put(stack.values, place, value), secrets=stack.secrets)


def link(stack: Stack) -> MeshLinkArgs:
    """Return the Args of the link by which the second cluster reads the first."""
    found: list[MeshLinkArgs] = []

    def body(wire: Wiring) -> None:
        provider = rancher2.Provider("rancher", api_url=RANCHER_URL, token_key=fake_secret("rancher"))
        clusters = {
            cluster.name: RancherCluster(
                cluster.name,
                wire.rancher_cluster(cluster, provider if wire.settings.rancher else None),
            )
            for cluster in wire.settings.clusters
        }
        source, target = wire.settings.clusters
        istio = [pulumi.ComponentResource("test:index:Istio", "istio")]
        args = wire.mesh_link(source, target, clusters, istio)
        assert args.target_istio is istio
        assert args.target_provider is clusters[target.name].provider
        if isinstance(args.credential, ServiceAccountArgs):
            assert args.credential.source_provider is clusters[source.name].provider
        found.append(args)

    run(stack, body)
    return found[0]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # The period is (720 h ttl - 240 h early renewal) / 2 = 10 days, counted from 1970. The generation is 1.
        ("2026-11-23T00:00:00", (2079, "2026-12-23T00:00:00Z", "2026-12-13T00:00:00Z")),
        ("2026-12-02T23:59:59", (2079, "2026-12-23T00:00:00Z", "2026-12-13T00:00:00Z")),
        ("2026-12-03T00:00:00", (2080, "2027-01-02T00:00:00Z", "2026-12-23T00:00:00Z")),
    ],
)
def test_tokens_have_their_early_renewal_left_when_their_two_parts_are_over(
    runs: Runs, now: str, expected: tuple[int, str, str]
) -> None:
    """All values are constant within a rotation period, and advance by one period with the next."""

    def body(wire: Wiring) -> None:
        provider = rancher2.Provider("rancher", api_url=RANCHER_URL, token_key=fake_secret("rancher"))
        access = wire.rancher_cluster(wire.settings.clusters[0], provider).access
        assert isinstance(access, RancherAccessArgs)
        assert (access.token_rotation, access.token_expiry, access.active_token_expiry) == expected

    run(runs.stack(RANCHER), body, now=datetime.fromisoformat(now).replace(tzinfo=UTC))


def test_a_peer_reads_a_kubeconfig_cluster_at_the_kubeconfigs_server(runs: Runs) -> None:
    """The link uses a service account. Without a CA in the kubeconfig, it trusts public CAs, as the kubeconfig does."""
    args = link(runs.stack(LAB))
    assert (args.source, args.target, args.server) == ("east", "west", "https://198.18.0.10:6443")
    assert isinstance(args.credential, ServiceAccountArgs)
    assert args.ca is Ca.PUBLIC


def test_a_peer_trusts_the_ca_that_the_kubeconfig_names(runs: Runs, tmp_path: Path) -> None:
    """A load balancer or proxy in front of the API server may have its own CA."""
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig("east", ca_pem=A_CA))
    args = link(changed(runs.stack(LAB), ("clusters", 0, "access", "path"), str(path)))
    assert args.ca == A_CA


def test_a_peer_reads_a_rancher_cluster_through_ranchers_proxy(runs: Runs) -> None:
    """The link uses a Rancher token, and Rancher's CA if Rancher has a private one."""
    for ca_certs, ca in ((None, Ca.PUBLIC), (A_CA, A_CA)):
        args = link(changed(runs.stack(RANCHER), ("rancher", "caCerts"), ca_certs))
        assert args.server == f"{RANCHER_URL}/k8s/clusters/c-f7r9g"
        assert isinstance(args.credential, RancherTokenArgs)
        assert args.ca == ca


@pytest.mark.parametrize(
    ("ca_certs", "server", "ca"),
    [(A_CA, None, A_CA), (None, None, Ca.PUBLIC), (A_CA, "https://direct.example:6443", Ca.CLUSTER)],
)
def test_a_service_account_behind_rancher_trusts_who_answers(
    runs: Runs, ca_certs: str | None, server: str | None, ca: str | Ca
) -> None:
    """The proxy is verified with Rancher's CA, and the cluster's own address with the cluster's CA."""
    stack = changed(runs.stack(RANCHER), ("rancher", "caCerts"), ca_certs)
    stack = changed(stack, ("clusters", 0, "linkCredential"), "serviceAccount")
    stack = changed(stack, ("clusters", 0, "peerServer"), server)
    args = link(stack)
    assert args.server == (server or f"{RANCHER_URL}/k8s/clusters/c-f7r9g")
    assert isinstance(args.credential, ServiceAccountArgs)
    assert args.ca == ca


@pytest.mark.parametrize("stack", [LAB, RANCHER])
def test_a_peers_server_and_its_ca_may_differ_from_those_that_the_program_uses(runs: Runs, stack: str) -> None:
    """The config sets both, for every kind of credential."""
    direct = changed(runs.stack(stack), ("clusters", 0, "peerServer"), "https://direct.example:6443/")
    args = link(changed(direct, ("clusters", 0, "peerCaCerts"), A_CA))
    assert (args.server, args.ca) == ("https://direct.example:6443", A_CA)


def test_a_peers_server_shows_the_clusters_own_ca_unless_another_is_named(runs: Runs) -> None:
    """The kubeconfig's CA is only for the program's connection to the cluster."""
    assert link(changed(runs.stack(LAB), ("clusters", 0, "peerServer"), "https://direct.example:6443")).ca is Ca.CLUSTER


@pytest.mark.parametrize(("istio", "reads"), [({}, False), (BY_OPERATOR, True)])
def test_a_peer_that_the_operator_installed_may_read_endpoints(
    runs: Runs, istio: dict[str, str], *, reads: bool
) -> None:
    """The peer's istiod is older than the first version that reads only EndpointSlices."""
    args = link(runs.stack(LAB).changed(istio=istio))
    assert isinstance(args.credential, ServiceAccountArgs)
    assert args.credential.rights.endpoints is reads


def test_generations_reach_the_links(runs: Runs) -> None:
    """A higher generation results in new tokens."""
    args = link(changed(runs.stack(LAB), ("links", "tokenGeneration"), 7))
    assert isinstance(args.credential, ServiceAccountArgs)
    assert args.credential.token_generation == 7


def test_the_program_makes_a_root_unless_one_is_brought(runs: Runs) -> None:
    """The hours, the protection and the intermediates' generation come from the config."""

    def body(wire: Wiring) -> None:
        args = wire.mesh_trust()
        assert isinstance(args.root, GeneratedRootArgs)
        assert (args.root.validity_hours, args.root.protect) == (20000, False)
        assert args.cluster_names == ("east", "west")
        assert args.mesh_id == "mcsps-lab"
        assert (args.intermediate_validity_hours, args.intermediate_early_renewal_hours) == (10000, 3000)
        assert args.intermediate_generation == 3

    trust = {
        "rootValidityHours": 20000,
        "protectRoot": False,
        "intermediateValidityHours": 10000,
        "intermediateEarlyRenewalHours": 3000,
        "intermediateGeneration": 3,
    }
    run(runs.stack(LAB).changed(trust=trust), body)


def test_a_brought_root_comes_with_its_key_and_expiry(runs: Runs) -> None:
    """The certificate comes from plain config, and the key from secret config."""
    key = pems.make_key()
    certificate = pems.make_root(key)

    def body(wire: Wiring) -> None:
        args = wire.mesh_trust()
        assert isinstance(args.root, ProvidedRootArgs)
        assert args.root.certificate_pem == certificate
        assert isinstance(args.root.private_key_pem, pulumi.Output)
        assert args.root.expiry == f"{pems.END:%Y-%m-%dT%H:%M:%SZ}"

    lab = runs.stack(LAB)
    stack = Stack(
        name=LAB,
        values=put(lab.values, ("trust", "rootCertificate"), certificate),
        secrets={"rootPrivateKey": pems.key_pem(key)},
    )
    run(stack, body)


@pytest.mark.parametrize("versions", [[], ["v1"], ["v2"], ["v1", "v2"]])
def test_a_cluster_gets_the_images_of_its_own_versions(versions: list[str]) -> None:
    """The cluster also gets the weights of both versions."""
    values: dict[str, Any] = put(load_values(LAB), ("clusters", 0, "versions"), versions)
    values = put(values, ("clusters", 1, "versions"), ["v1", "v2"])
    values["helloworld"] = {"images": {"v1": "one", "v2": "two"}, "replicas": 4}
    settings = parse(values)
    wire = Wiring(settings=settings, secrets=Secrets(), found=Preflight(now=TODAY, cluster_ids={}, clusters={}))
    istio = Readiness(injects=[], accepts=[])
    args = wire.helloworld_app(settings.clusters[0], istio)
    assert args.istio is istio
    assert args.images == {version: {"v1": "one", "v2": "two"}[version] for version in versions}
    assert args.weights == {"v1": 90, "v2": 10}
    assert args.replicas == 4
    assert args.timeout_seconds == settings.istio.timeout_seconds


def test_peers_read_as_a_user_whose_name_is_one_on_the_whole_server(runs: Runs) -> None:
    """The user's name contains the mesh id and the cluster. The user can read Secrets only if the config allows it."""
    stack = runs.stack(RANCHER).changed(links={"readSecrets": False})
    assert peers_of(stack) == PeersUserArgs.__name__
    seen: list[Any] = []
    run(stack, lambda wire: seen.append(access_of(wire)))
    assert (seen[0].peers.username, seen[0].peers.rights.secrets) == ("mcsps-test-mcsps-test-k8s-01-reader", False)


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("rancher", "peersUser"), False, "PROGRAM_USER"),
        (("clusters", 0, "linkCredential"), "serviceAccount", "NONE"),
    ],
)
def test_config_can_have_peers_read_without_a_user_of_their_own(
    runs: Runs, place: Place, value: object, expected: str
) -> None:
    """Peers then use the program's user, or no Rancher token at all."""
    stack = runs.stack(RANCHER)
    assert peers_of(replace(stack, values=put(stack.values, place, value))) == expected


def peers_of(stack: Stack) -> str:
    """Return the name of the peers' user of the first cluster, or the type if there is none."""
    seen: list[Any] = []
    run(stack, lambda wire: seen.append(access_of(wire).peers))
    return seen[0].name if isinstance(seen[0], PeerToken) else type(seen[0]).__name__


def access_of(wire: Wiring) -> RancherAccessArgs:
    """Return the first cluster's access."""
    provider = rancher2.Provider("rancher", api_url=RANCHER_URL, token_key=fake_secret("rancher"))
    access = wire.rancher_cluster(wire.settings.clusters[0], provider).access
    assert isinstance(access, RancherAccessArgs)
    return access


@pytest.mark.parametrize(
    ("source_is_away", "target_is_away", "expected"),
    [(False, False, True), (True, False, False), (False, True, True), (True, True, True)],
)
def test_peers_read_nothing_of_a_cluster_that_is_away(
    runs: Runs, *, source_is_away: bool, target_is_away: bool, expected: bool
) -> None:
    """The objects in the cluster that is away stay as they are, because a deletion there would fail."""
    stack = runs.stack(LAB, names=("east", "west", "north"))
    for index, is_away in enumerate((source_is_away, target_is_away)):
        stack = changed(stack, ("clusters", index, "away"), is_away)
    monitor = stack.run()
    names = {found.name for found in monitor.find_all(recording.SECRET)}
    assert ("east-to-west-remote-secret" in names) is expected
    assert "east-to-west-token" in names


def test_releases_are_rendered_for_what_their_cluster_answered(runs: Runs) -> None:
    """A cluster that is away has not reported a Kubernetes version."""
    stack = changed(runs.stack(LAB), ("clusters", 1, "away"), value=True)

    def body(wire: Wiring) -> None:
        versions = {name: {each.kube_version for each in of.values()} for name, of in wire.releases.items()}
        assert versions == {"east": {"v1.31.4"}, "west": {None}}
        pulumi.export("done", "yes")

    assert run(stack, body).exports == {"done": "yes"}
