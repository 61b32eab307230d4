"""MeshLink: a reader in the source cluster, and a remote secret in the target cluster."""

import base64

import pulumi
import pytest
import yaml

from components import Ca, MeshLink, MeshLinkArgs, RancherTokenArgs, ServiceAccountArgs
from mesh.reader_rules import ReaderRights
from recorder.values import Secret, Unknown, reveal
from tests.support import recording
from tests.support.components import expected_readable, kinds, kubernetes_provider, readable
from tests.support.leaks import MARK, fake_secret, find_leaks
from tests.support.recording import RecordingMonitor, record

SERVER = "https://east.example:6443"


def by_service_account(  # noqa: PLR0913 - one for each thing that a test may choose
    *,
    preview: bool = False,
    generation: int = 1,
    reads_secrets: bool = False,
    reads_endpoints: bool = False,
    ca: str | Ca = Ca.CLUSTER,
    identity: str = "uid-1",
    is_read: bool = True,
) -> RecordingMonitor:
    """Record a link whose reader is a service account of the source."""

    def body() -> None:
        credential = ServiceAccountArgs(
            source_provider=kubernetes_provider("east"),
            source_identity=identity,
            token_generation=generation,
            rights=ReaderRights(secrets=reads_secrets, endpoints=reads_endpoints),
        )
        link(credential, ca, is_read=is_read)

    return record(body, preview=preview)


def by_rancher_token(*, preview: bool = False, ca: str | Ca = "Rancher's CA") -> RecordingMonitor:
    """Record a link whose reader is a Rancher token."""

    def body() -> None:
        link(RancherTokenArgs(token=pulumi.Output.secret(fake_secret("Rancher"))), ca)

    return record(body, preview=preview)


def link(credential: ServiceAccountArgs | RancherTokenArgs, ca: str | Ca, *, is_read: bool = True) -> None:
    """Create the link through which west reads east."""
    args = MeshLinkArgs(
        source="east",
        target="west",
        server=SERVER,
        ca=ca,
        credential=credential,
        target_provider=kubernetes_provider("west"),
        target_istio=[pulumi.ComponentResource("test:index:Istio", "west-istio")],
        is_read=is_read,
    )
    MeshLink("east-to-west", args)


def remote_kubeconfig(monitor: RecordingMonitor) -> object:
    """Return the kubeconfig that the target's istiod reads, after a check that it is a secret."""
    secret = monitor.find(recording.SECRET, "east-to-west-remote-secret")
    content = secret.inputs["stringData"]
    assert isinstance(content, Secret)
    assert reveal(content).keys() == {"east"}
    return yaml.safe_load(reveal(content)["east"])


def test_a_link_by_service_account_has_all_parts_below_it(*, preview: bool) -> None:
    """The parts are account, role, binding, token, the token's generation, and the remote secret."""
    monitor = by_service_account(preview=preview)
    component = monitor.find("mcsps:index:MeshLink", "east-to-west")
    assert kinds(monitor.children(component)) == [
        "ClusterRole",
        "ClusterRoleBinding",
        "RandomId",
        "Secret",
        "Secret",
        "ServiceAccount",
    ]
    assert component.inputs == {"source": "east", "target": "west"}


def test_a_link_by_rancher_token_is_the_remote_secret_alone(*, preview: bool) -> None:
    """RancherCluster creates the token."""
    monitor = by_rancher_token(preview=preview)
    component = monitor.find("mcsps:index:MeshLink", "east-to-west")
    assert kinds(monitor.children(component)) == ["Secret"]


def test_the_reader_lives_in_the_source_and_the_remote_secret_in_the_target() -> None:
    """Each uses the provider of its cluster."""
    monitor = by_service_account()
    places: dict[str | None, set[str]] = {}
    for found in monitor.recorded:
        if found.type.startswith("kubernetes:"):
            places.setdefault(monitor.provider_name(found), set()).add(found.name)
    assert places.pop("west-kubernetes") == {"east-to-west-remote-secret"}
    assert places == {
        "east-kubernetes": {
            "east-to-west-reader",
            "east-to-west-reader-role",
            "east-to-west-reader-binding",
            "east-to-west-token",
        }
    }


def test_the_remote_secret_carries_label_annotation_and_key_that_istio_reads() -> None:
    """All of them contain the name of the source."""
    metadata = by_service_account().find(recording.SECRET, "east-to-west-remote-secret").inputs["metadata"]
    assert metadata["name"] == "istio-remote-secret-east"
    assert metadata["namespace"] == "istio-system"
    assert metadata["labels"]["istio/multiCluster"] == "true"
    assert metadata["annotations"] == {"networking.istio.io/cluster": "east"}


def trusting(ca_pem: str | None) -> dict[str, str]:
    """Return the cluster of a kubeconfig; without a CA, the machine's trust store applies."""
    data = {"certificate-authority-data": base64.b64encode(ca_pem.encode()).decode()} if ca_pem else {}
    return {"server": SERVER, **data}


@pytest.mark.parametrize(
    ("ca", "ca_pem"),
    [(Ca.CLUSTER, recording.CLUSTER_CA), ("the proxy's CA", "the proxy's CA"), (Ca.PUBLIC, None)],
)
def test_the_remote_kubeconfig_has_the_readers_token_and_the_servers_ca(ca: str | Ca, ca_pem: str | None) -> None:
    """The cluster's own CA comes from the Secret of the token."""
    monitor = by_service_account(ca=ca)
    data = monitor.made(monitor.find(recording.SECRET, "east-to-west-token"), "data")
    assert remote_kubeconfig(monitor) == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "east", "cluster": trusting(ca_pem)}],
        "users": [{"name": "east", "user": {"token": base64.b64decode(data["token"]).decode()}}],
        "contexts": [{"name": "east", "context": {"cluster": "east", "user": "east"}}],
        "current-context": "east",
    }


@pytest.mark.parametrize(("ca", "ca_pem"), [(Ca.PUBLIC, None), ("Rancher's CA", "Rancher's CA")])
def test_the_remote_kubeconfig_has_ranchers_token_and_ca(ca: str | Ca, ca_pem: str | None) -> None:
    """The kubeconfig contains no CA if Rancher has a publicly trusted certificate."""
    document = remote_kubeconfig(by_rancher_token(ca=ca))
    assert isinstance(document, dict)
    assert document["clusters"][0]["cluster"] == trusting(ca_pem)
    assert document["users"][0]["user"] == {"token": fake_secret("Rancher")}


def test_the_token_is_the_readers_and_named_by_its_generation() -> None:
    """A new token has a new name, so the old one is deleted only after the remote secret has the new one."""
    monitor = by_service_account()
    token = monitor.find(recording.SECRET, "east-to-west-token")
    generation = monitor.made(monitor.find(recording.RANDOM_ID), "hex")
    assert token.inputs["type"] == "kubernetes.io/service-account-token"
    metadata = token.inputs["metadata"]
    assert metadata["name"] == f"istio-reader-for-west-{generation}"
    assert metadata["namespace"] == "istio-system"
    assert metadata["annotations"] == {"kubernetes.io/service-account.name": "istio-reader-for-west"}
    after = by_service_account(generation=2).find(recording.SECRET, "east-to-west-token")
    assert after.inputs["metadata"]["name"] != metadata["name"]


def test_the_binding_ties_the_readers_account_to_the_readers_role() -> None:
    """The binding contains no other account or role."""
    monitor = by_service_account()
    account = monitor.find(recording.SERVICE_ACCOUNT).inputs["metadata"]
    role = monitor.find(recording.CLUSTER_ROLE).inputs
    binding = monitor.find(recording.CLUSTER_ROLE_BINDING).inputs
    assert (account["name"], account["namespace"]) == ("istio-reader-for-west", "istio-system")
    assert role["metadata"]["name"] == binding["metadata"]["name"] == "istio-reader-for-west"
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "istio-reader-for-west",
    }
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "istio-reader-for-west", "namespace": "istio-system"}
    ]


@pytest.mark.parametrize("reads_endpoints", [True, False])
@pytest.mark.parametrize("reads_secrets", [True, False])
def test_the_role_that_is_registered_is_the_reader_rules(*, reads_secrets: bool, reads_endpoints: bool) -> None:
    """The role contains everything that istiod reads in a peer; Secrets and Endpoints only if the Args include them."""
    monitor = by_service_account(reads_secrets=reads_secrets, reads_endpoints=reads_endpoints)
    rules = monitor.find(recording.CLUSTER_ROLE).inputs["rules"]
    assert readable(rules) == expected_readable(secrets=reads_secrets, endpoints=reads_endpoints)


def test_nothing_secret_is_shown(*, preview: bool) -> None:
    """Neither the registered resources nor the repr of the Args show a secret."""
    assert find_leaks(by_service_account(preview=preview)) == []
    assert find_leaks(by_rancher_token(preview=preview)) == []
    assert MARK not in repr(RancherTokenArgs(token=fake_secret("Rancher")))


def test_the_remote_secret_is_secret_before_its_token_is_known() -> None:
    """A first preview shows neither the remote secret nor its token."""
    secret = by_service_account(preview=True).find(recording.SECRET, "east-to-west-remote-secret")
    assert secret.inputs["stringData"] == Secret(Unknown())


def test_without_the_remote_secret_the_reader_stays(*, preview: bool) -> None:
    """No peer reads a source that is away. Its objects stay for the time when it is back."""
    monitor = by_service_account(preview=preview, is_read=False)
    full = by_service_account(preview=preview)
    assert {found.name for found in full.recorded} - {found.name for found in monitor.recorded} == {
        "east-to-west-remote-secret"
    }


def test_a_rebuilt_source_gets_a_token_with_a_new_name() -> None:
    """With the same name, the deletion of the old token would delete the new one."""
    monitor = by_service_account(identity="uid-2")
    generation = monitor.find(recording.RANDOM_ID, "east-to-west-token-generation")
    assert generation.replacement_trigger == "uid-2"
    token = monitor.find(recording.SECRET, "east-to-west-token")
    assert generation.urn in token.dependencies
    assert not token.delete_before_replace
