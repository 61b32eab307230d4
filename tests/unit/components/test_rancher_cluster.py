"""RancherCluster: the access, the provider, the project and the namespaces."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_rancher2 as rancher2
import pytest
import yaml

from components import (
    KubeconfigAccessArgs,
    PeersUserArgs,
    PeerToken,
    RancherAccessArgs,
    RancherCluster,
    RancherClusterArgs,
)
from mesh import kubeconfigs
from mesh.reader_rules import ReaderRights
from recorder.values import Secret, Unknown, reveal
from tests.support import recording
from tests.support.components import expected_readable, kinds, readable
from tests.support.leaks import fake_secret, find_leaks
from tests.support.recording import Maker, RecordingMonitor, record, with_outputs

URL = "https://rancher.example"
ACTIVE_EXPIRY, EXPIRY = "2026-12-23T00:00:00Z", "2027-01-02T00:00:00Z"
ROTATION = 10
PROJECT = {
    "name": "istio",
    "description": "Istio Manage Project",
    "container_limit": {
        "limits_cpu": "200m",
        "limits_memory": "128Mi",
        "requests_cpu": "100m",
        "requests_memory": "64Mi",
    },
    "namespace_quota": {"limits_cpu": "12000m", "limits_memory": "12000Mi"},
    "project_quota": {"limits_cpu": "24000m", "limits_memory": "24000Mi"},
}


def by_kubeconfig(
    *,
    preview: bool = False,
    selector: str | None = None,
    adopts: bool = False,
    identity: str | None = "uid-1",
    makers: Mapping[str, Maker] | None = None,
) -> RecordingMonitor:
    """Record a cluster with access by kubeconfig."""

    def body() -> None:
        access = KubeconfigAccessArgs(kubeconfig=pulumi.Output.secret(fake_secret("kubeconfig")))
        args = RancherClusterArgs(
            cluster_name="east",
            network="network-east",
            access=access,
            identity=identity,
            namespace_node_selector=selector,
            adopts_istio_namespace=adopts,
        )
        cluster = RancherCluster("east", args)
        pulumi.export("hasPeerToken", cluster.peer_token is not None)
        pulumi.export("tokenExpiry", cluster.token_expiry)

    return record(body, preview=preview, makers=makers)


OWN_TOKENS = ["east-provider-even-token", "east-provider-odd-token"]
PEERS_USER = PeersUserArgs(username="mesh1-east-reader", rights=ReaderRights(secrets=True, endpoints=False))


def by_rancher(
    *,
    preview: bool = False,
    ca_certs: str | None = "the CA",
    rotation: int = ROTATION,
    peers: PeersUserArgs | PeerToken = PEERS_USER,
) -> RecordingMonitor:
    """Record a cluster with access through Rancher's proxy."""

    def body() -> None:
        provider = rancher2.Provider("rancher", api_url=URL, token_key=pulumi.Output.secret(fake_secret("token")))
        access = RancherAccessArgs(
            url=URL,
            ca_certs=ca_certs,
            cluster_id="c-f7r9g",
            token_ttl_hours=720,
            token_rotation=rotation,
            token_expiry=EXPIRY,
            active_token_expiry=ACTIVE_EXPIRY,
            project=PROJECT,
            app_project={**PROJECT, "name": "sample", "description": "Demo"},
            peers=peers,
            provider=provider,
        )
        args = RancherClusterArgs(
            cluster_name="east", network="network-east", access=access, identity=access.cluster_id
        )
        cluster = RancherCluster("east", args)
        pulumi.export("peerToken", cluster.peer_token)
        pulumi.export("tokenExpiry", cluster.token_expiry)

    return record(body, preview=preview)


def test_a_cluster_by_kubeconfig_is_two_providers_two_namespaces_and_a_limit_range(*, preview: bool) -> None:
    """There is no resource of Rancher."""
    monitor = by_kubeconfig(preview=preview)
    component = monitor.find("mcsps:index:RancherCluster", "east")
    assert kinds(monitor.children(component)) == [
        "LimitRange",
        "Namespace",
        "Namespace",
        "RandomId",
        "kubernetes",
        "kubernetes",
    ]
    assert len(monitor.recorded) == 7
    assert not component.custom
    assert component.inputs == {"clusterName": "east"}


def test_a_cluster_by_rancher_has_projects_three_tokens_and_a_user_for_its_peers_as_well(*, preview: bool) -> None:
    """All of them are children of the component."""
    monitor = by_rancher(preview=preview)
    component = monitor.find("mcsps:index:RancherCluster", "east")
    assert kinds(monitor.children(component)) == [
        "ClusterRoleTemplateBinding",
        "CustomUserToken",
        "GlobalRoleBinding",
        "LimitRange",
        "Namespace",
        "Namespace",
        "Project",
        "Project",
        "RandomId",
        "RandomId",
        "RandomId",
        "RandomId",
        "RandomPassword",
        "RoleTemplate",
        "Token",
        "Token",
        "User",
        "kubernetes",
        "kubernetes",
    ]
    assert len(monitor.recorded) == 21


@pytest.mark.parametrize(
    ("peers", "tokens"),
    [(PeerToken.NONE, OWN_TOKENS), (PeerToken.PROGRAM_USER, ["east-peers-token", *OWN_TOKENS])],
)
def test_without_a_user_of_their_own_peers_get_the_programs_or_no_token(peers: PeerToken, tokens: list[str]) -> None:
    """The component creates no resource that has no use."""
    monitor = by_rancher(peers=peers)
    assert [found.name for found in monitor.find_all(recording.RANCHER_TOKEN)] == tokens
    uses = {name.split("-")[1] for name in tokens}
    assert {name.removesuffix("TokenExpiry") for name in monitor.exports["tokenExpiry"]} == uses
    assert ("peerToken" in monitor.exports) == ("peers" in uses)
    made = {found.type.rpartition(":")[2] for found in monitor.recorded}
    assert not made & {"User", "RoleTemplate", "CustomUserToken", "RandomPassword"}


@pytest.mark.parametrize("cluster", [by_kubeconfig, by_rancher])
def test_everything_in_kubernetes_goes_through_its_own_provider(cluster: Callable[[], RecordingMonitor]) -> None:
    """No default provider is used."""
    monitor = cluster()
    inside = [found for found in monitor.recorded if found.type.startswith("kubernetes:")]
    assert {monitor.provider_name(found) for found in inside} == {"east-kubernetes"}


def test_everything_in_rancher_goes_through_the_provider_that_was_given() -> None:
    """These are both tokens and projects."""
    monitor = by_rancher()
    inside = [found for found in monitor.recorded if found.type.startswith("rancher2:")]
    assert len(inside) == 9
    assert {monitor.provider_name(found) for found in inside} == {"rancher"}


@pytest.mark.parametrize("cluster", [by_kubeconfig, by_rancher])
def test_a_provider_is_never_replaced_for_a_new_kubeconfig(cluster: Callable[[], RecordingMonitor]) -> None:
    """The provider's identifier is a plain name, and Secrets are updated in place."""
    for provider in cluster().find_all(recording.KUBERNETES_PROVIDER):
        assert provider.inputs["clusterIdentifier"] == "east"
        assert json.loads(provider.inputs["enableSecretMutable"]) is True


def test_only_the_provider_for_crds_takes_over_what_is_there() -> None:
    """Any other existing object belongs to someone else."""
    monitor = by_kubeconfig()
    takes_over = {
        found.name: json.loads(found.inputs["upsertExistingObjects"])
        for found in monitor.find_all(recording.KUBERNETES_PROVIDER)
    }
    assert takes_over == {"east-kubernetes": False, "east-kubernetes-crds": True}


def test_the_kubeconfig_reaches_each_provider_as_a_secret() -> None:
    """The text is unchanged."""
    for provider in by_kubeconfig().find_all(recording.KUBERNETES_PROVIDER):
        assert provider.inputs["kubeconfig"] == Secret(fake_secret("kubeconfig"))


def test_istio_system_says_its_network_and_sample_asks_for_sidecars(*, preview: bool) -> None:
    """The two labels are those that Istio reads."""
    monitor = by_kubeconfig(preview=preview)
    system = monitor.find(recording.NAMESPACE, "east-istio-system").inputs["metadata"]
    sample = monitor.find(recording.NAMESPACE, "east-sample").inputs["metadata"]
    assert (system["name"], system["labels"]) == ("istio-system", {"topology.istio.io/network": "network-east"})
    assert (sample["name"], sample["labels"]) == ("sample", {"istio-injection": "enabled"})
    assert not system.get("annotations")


def test_a_node_selector_is_an_annotation_of_istio_system_alone() -> None:
    """The PodNodeSelector admission plugin reads this annotation."""
    monitor = by_kubeconfig(selector="role=ingress")
    annotated = {
        found.name: found.inputs["metadata"].get("annotations") for found in monitor.find_all(recording.NAMESPACE)
    }
    assert annotated == {
        "east-istio-system": {"scheduler.alpha.kubernetes.io/node-selector": "role=ingress"},
        "east-sample": {},
    }


@pytest.mark.parametrize(
    ("cluster", "labels"),
    [(by_kubeconfig, {}), (by_rancher, {"resourcequota.management.cattle.io/default-resource-quota": "true"})],
)
def test_the_limit_range_gives_defaults_to_containers_that_name_none(
    cluster: Callable[[], RecordingMonitor], labels: dict[str, str]
) -> None:
    """It is in istio-system, and is created after it. In a project, it has Rancher's label for its own LimitRange."""
    monitor = cluster()
    limits = monitor.find(recording.LIMIT_RANGE)
    assert limits.inputs["metadata"] == {"name": "istio-limitrange", "namespace": "istio-system", "labels": labels}
    assert limits.inputs["spec"] == {
        "limits": [
            {
                "type": "Container",
                "default": {"cpu": "100m", "memory": "100Mi"},
                "defaultRequest": {"cpu": "10m", "memory": "10Mi"},
            }
        ]
    }
    assert "east-istio-system" in monitor.depends_on(limits)


def test_only_rancher_gives_a_token_for_peers() -> None:
    """The program gives no credential of a kubeconfig to peers."""
    assert by_kubeconfig().exports == {"hasPeerToken": False, "tokenExpiry": {}}
    monitor = by_rancher()
    token = monitor.find(recording.RANCHER_USER_TOKEN, "east-peers-token")
    assert monitor.exports["peerToken"] == Secret(monitor.made(token, "token"))


def test_it_is_told_when_each_token_ends(*, preview: bool) -> None:
    """The outputs have the names for the exports, and are not secret. The program's token may be one rotation older."""
    expiry = by_rancher(preview=preview).exports["tokenExpiry"]
    assert expiry == {"providerTokenExpiry": ACTIVE_EXPIRY, "peersTokenExpiry": EXPIRY}


@pytest.mark.parametrize("use", ["provider-even", "provider-odd", "peers"])
def test_a_token_is_scoped_to_the_cluster_and_expires(use: str) -> None:
    """The ttl is in seconds, and the description contains the generation."""
    monitor = by_rancher(peers=PeerToken.PROGRAM_USER)
    token = monitor.find(recording.RANCHER_TOKEN, f"east-{use}-token")
    generation = monitor.find(recording.RANDOM_ID, f"east-{use}-token-generation")
    made = monitor.made(generation, "hex")
    assert token.inputs == {
        "clusterId": "c-f7r9g",
        "description": f"mcsps {use} of east, {made}",
        "ttl": 720 * 3600,
    }
    assert token.replacement_trigger == made


def test_the_next_turn_uses_the_token_that_is_there_and_makes_the_one_after_it() -> None:
    """A preview therefore knows the kubeconfig. Each of the two tokens is replaced at every second rotation."""
    rotations = [by_rancher(rotation=ROTATION + number) for number in range(3)]
    used = [kubeconfig_token(monitor) for monitor in rotations]
    made = [[token_named(monitor, name) for name in OWN_TOKENS] for monitor in rotations]
    assert used == [made[0][0], made[1][1], made[2][0]]
    assert made[0][1] == made[1][1]
    assert made[1][0] == made[2][0]
    assert len({token for each in made for token in each}) == 4


def test_each_turn_gives_the_peers_a_new_token() -> None:
    """A preview does not need to know this token."""
    tokens = [by_rancher(rotation=ROTATION + number).find(recording.RANCHER_USER_TOKEN) for number in range(2)]
    assert tokens[0].replacement_trigger != tokens[1].replacement_trigger


def kubeconfig_token(monitor: RecordingMonitor) -> str:
    """Return the token with which the program reaches the cluster."""
    kubeconfig = monitor.find(recording.KUBERNETES_PROVIDER, "east-kubernetes").inputs["kubeconfig"]
    return str(yaml.safe_load(reveal(kubeconfig))["users"][0]["user"]["token"])


def token_named(monitor: RecordingMonitor, name: str) -> str:
    """Return one of the program's own tokens."""
    return str(monitor.made(monitor.find(recording.RANCHER_TOKEN, name), "token"))


def test_the_peers_user_makes_a_token_for_himself_when_he_may() -> None:
    """The token is scoped and expires. Without the bindings, the user could neither log in nor read."""
    monitor = by_rancher()
    token = monitor.find(recording.RANCHER_USER_TOKEN)
    password = monitor.made(monitor.find(recording.RANDOM_PASSWORD), "result")
    made = monitor.made(monitor.find(recording.RANDOM_ID, "east-peers-token-generation"), "hex")
    assert token.inputs == {
        "clusterId": "c-f7r9g",
        "description": f"mcsps peers of east, {made}",
        "password": Secret(password),
        "ttl": 720 * 3600,
        "username": "mesh1-east-reader",
    }
    assert token.replacement_trigger == made
    assert {"east-peers-login", "east-peers-binding", "east-peers-user"} <= monitor.depends_on(token)


@pytest.mark.parametrize("reads_endpoints", [True, False])
@pytest.mark.parametrize("reads_secrets", [True, False])
def test_the_peers_user_may_read_what_istiod_needs_in_his_cluster_and_no_more(
    *, reads_secrets: bool, reads_endpoints: bool
) -> None:
    """The right comes from a role of the cluster. The global role allows only the login."""
    monitor = by_rancher(
        peers=replace(PEERS_USER, rights=ReaderRights(secrets=reads_secrets, endpoints=reads_endpoints))
    )
    user = monitor.find(recording.RANCHER_USER)
    assert user.inputs["username"] == user.inputs["name"] == "mesh1-east-reader"
    role = monitor.find("rancher2:index/roleTemplate:RoleTemplate")
    assert (role.inputs["name"], role.inputs["context"]) == ("mesh1-east-reader", "cluster")
    expected = expected_readable(secrets=reads_secrets, endpoints=reads_endpoints)
    assert readable(role.inputs["rules"]) == expected
    binding = monitor.find("rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding")
    assert binding.inputs == {
        "clusterId": "c-f7r9g",
        "name": "mesh1-east-reader",
        "roleTemplateId": "east-peers-role-id",
        "userId": "east-peers-user-id",
    }
    login = monitor.find("rancher2:index/globalRoleBinding:GlobalRoleBinding")
    assert login.inputs == {"globalRoleId": "user-base", "userId": "east-peers-user-id"}


def test_a_rotation_leaves_the_peers_user_and_his_role_alone() -> None:
    """The rotation changes tokens, and no other resource of Rancher."""
    changed = {
        name
        for name in ("User", "RoleTemplate", "ClusterRoleTemplateBinding", "GlobalRoleBinding", "Project")
        if inputs_of(by_rancher(), name) != inputs_of(by_rancher(rotation=ROTATION + 1), name)
    }
    assert changed == set()
    assert inputs_of(by_rancher(), "CustomUserToken") != inputs_of(by_rancher(rotation=ROTATION + 1), "CustomUserToken")


def inputs_of(monitor: RecordingMonitor, kind: str) -> list[Any]:
    """Return the inputs of all resources of a kind."""
    return [found.inputs for found in monitor.recorded if found.type.endswith(f":{kind}")]


@pytest.mark.parametrize("ca_certs", ["the CA", None])
def test_the_kubeconfig_leads_through_ranchers_proxy(ca_certs: str | None) -> None:
    """It contains the provider's own token, and Rancher's CA if Rancher has a private one."""
    monitor = by_rancher(ca_certs=ca_certs)
    token = monitor.find(recording.RANCHER_TOKEN, "east-provider-even-token")
    kubeconfig = monitor.find(recording.KUBERNETES_PROVIDER, "east-kubernetes").inputs["kubeconfig"]
    assert isinstance(kubeconfig, Secret)
    document = yaml.safe_load(reveal(kubeconfig))
    cluster = {"server": f"{URL}/k8s/clusters/c-f7r9g"}
    if ca_certs:
        cluster["certificate-authority-data"] = base64.b64encode(ca_certs.encode()).decode()
    assert document["clusters"] == [{"name": "east", "cluster": cluster}]
    assert document["users"] == [{"name": "east", "user": {"token": monitor.made(token, "token")}}]


def test_the_kubeconfig_is_secret_before_its_token_is_known() -> None:
    """A first preview shows neither the kubeconfig nor its token."""
    provider = by_rancher(preview=True).find(recording.KUBERNETES_PROVIDER, "east-kubernetes")
    assert provider.inputs["kubeconfig"] == Secret(Unknown())


def test_the_project_has_the_quotas_and_the_container_defaults() -> None:
    """Each comes from its own part of the Args."""
    assert by_rancher().find(recording.RANCHER_PROJECT, "east-project").inputs == {
        "name": "istio",
        "clusterId": "c-f7r9g",
        "description": "Istio Manage Project",
        "containerResourceLimit": {
            "limitsCpu": "200m",
            "limitsMemory": "128Mi",
            "requestsCpu": "100m",
            "requestsMemory": "64Mi",
        },
        "resourceQuota": {
            "namespaceDefaultLimit": {"limitsCpu": "12000m", "limitsMemory": "12000Mi"},
            "projectLimit": {"limitsCpu": "24000m", "limitsMemory": "24000Mi"},
        },
    }


def test_sample_belongs_to_a_project_of_its_own() -> None:
    """Istio-system does not use up the quota of this project. Its containers get the project's defaults."""
    monitor = by_rancher()
    project = monitor.find(recording.RANCHER_PROJECT, "east-app-project")
    assert (project.inputs["name"], project.inputs["description"]) == ("sample", "Demo")
    namespace = monitor.find(recording.NAMESPACE, "east-sample")
    assert namespace.inputs["metadata"]["annotations"] == {
        "field.cattle.io/projectId": "c-f7r9g:p-12345",
        "field.cattle.io/resourceQuota": '{"limit":{"limitsCpu":"12000m","limitsMemory":"12000Mi"}}',
    }
    assert "east-app-project" in monitor.depends_on(namespace)
    assert "east-project" not in monitor.depends_on(namespace)


def test_istio_system_belongs_to_the_project_and_has_its_quota() -> None:
    """The annotations are those that Rancher reads, with the quota as JSON in Rancher's own form."""
    namespace = by_rancher().find(recording.NAMESPACE, "east-istio-system")
    assert namespace.inputs["metadata"]["annotations"] == {
        "field.cattle.io/projectId": "c-f7r9g:p-12345",
        "field.cattle.io/resourceQuota": '{"limit":{"limitsCpu":"12000m","limitsMemory":"12000Mi"}}',
        "field.cattle.io/containerDefaultResourceLimit": (
            '{"requestsCpu":"10m","requestsMemory":"10Mi","limitsCpu":"100m","limitsMemory":"100Mi"}'
        ),
    }


def test_nothing_secret_is_shown(*, preview: bool) -> None:
    """Neither the registered resources nor the repr of the Args show a secret."""
    assert find_leaks(by_kubeconfig(preview=preview)) == []
    assert find_leaks(by_rancher(preview=preview)) == []
    args = KubeconfigAccessArgs(kubeconfig=fake_secret("kubeconfig"))
    whole = RancherClusterArgs(cluster_name="east", network="east", access=args, identity="uid-1")
    assert fake_secret("kubeconfig") not in repr(whole) + repr(replace(whole, network="west"))


@pytest.mark.parametrize("adopts", [True, False])
def test_istio_system_alone_is_taken_over_and_only_where_that_is_said(*, adopts: bool) -> None:
    """A previous operator may have left this namespace. Any other existing object belongs to someone else."""
    monitor = by_kubeconfig(adopts=adopts)
    found = [*monitor.find_all(recording.NAMESPACE), *monitor.find_all(recording.LIMIT_RANGE)]
    adopting = {
        each.inputs["metadata"]["name"] for each in found if monitor.provider_name(each) == "east-kubernetes-crds"
    }
    assert len(found) == 3
    assert adopting == ({"istio-system"} if adopts else set())


@pytest.mark.parametrize("provider", ["east-kubernetes", "east-kubernetes-crds"])
def test_fields_that_the_stack_states_are_taken_over_from_others(provider: str) -> None:
    """Otherwise the values of the other program stay, and each update of the object fails."""
    inputs = by_kubeconfig().find(recording.KUBERNETES_PROVIDER, provider).inputs
    assert inputs["enablePatchForce"] == "true"
    assert "skipUpdateUnreachable" not in inputs


@pytest.mark.parametrize("provider", ["east-kubernetes", "east-kubernetes-crds"])
def test_nothing_waits_for_a_cluster_that_is_away(provider: str) -> None:
    """Its providers have no address, and leave its objects unchanged. They keep the cluster's identifier."""
    inputs = by_kubeconfig(identity=None).find(recording.KUBERNETES_PROVIDER, provider).inputs
    assert inputs["skipUpdateUnreachable"] == "true"
    assert inputs["kubeconfig"] == kubeconfigs.NO_CLUSTER
    assert inputs["clusterIdentifier"] == "east"


def test_the_state_keeps_the_identity_of_a_cluster_that_is_away() -> None:
    """The program can then recognise a cluster that was rebuilt in the meantime."""
    kept = [by_kubeconfig(identity=identity).find(recording.RANDOM_ID, "east-identity") for identity in ("uid-1", None)]
    assert kept[0].inputs["keepers"] == {"identity": "uid-1"}
    assert [found.ignore_changes for found in kept] == [(), ("keepers",)]
    makers = {recording.RANDOM_ID: with_outputs({"hex": "00", "keepers": {"identity": "uid of the state"}})}
    namespace = by_kubeconfig(identity=None, makers=makers).find(recording.NAMESPACE, "east-sample")
    assert namespace.replacement_trigger == "uid of the state"


def test_the_objects_of_a_rebuilt_cluster_are_created_again() -> None:
    """The old objects are deleted first, because a later deletion by name would delete the new ones."""
    for found in by_kubeconfig(identity="uid-2").recorded:
        if found.type in {recording.NAMESPACE, recording.LIMIT_RANGE}:
            assert (found.replacement_trigger, found.delete_before_replace) == ("uid-2", True)
