"""The v3 API for the provider and for users."""

import json

import pytest

from lab.rancher import tokens
from tests.support.rancher_double import CLUSTER, URL, RancherDouble


def test_the_index_leads_to_schemas_that_lead_to_collections(server: RancherDouble) -> None:
    """Every client of Rancher finds its resources through these links."""
    index = server.ask("GET", "/v3")
    assert index.headers["X-API-Schemas"] == f"{URL}/v3/schemas"
    schemas = {it["id"]: it for it in server.ask("GET", "/v3/schemas").json()["data"]}
    project = schemas["project"]
    assert project["links"]["collection"] == f"{URL}/v3/projects"
    assert {"GET", "POST"} <= set(project["collectionMethods"])
    assert {"GET", "PUT", "DELETE"} <= set(project["resourceMethods"])
    assert "POST" not in schemas["cluster"]["collectionMethods"]


def test_a_schema_tells_a_user_what_he_may_make(server: RancherDouble) -> None:
    """Only the administrator can create users, and all users can create tokens."""
    _, token = server.user("somebody", "a long password")
    for asker, kinds in ((None, ["roletemplate", "token", "user"]), (token, ["token"])):
        makes = {
            kind
            for kind in ("roletemplate", "token", "user")
            if "POST" in server.ask("GET", f"/v3/schemas/{kind}", token=asker).json()["collectionMethods"]
        }
        assert sorted(makes) == kinds


def test_a_cluster_s_address_leads_to_the_schemas_of_its_own_api(server: RancherDouble) -> None:
    """The provider's client for namespaces starts there."""
    cluster = server.ask("GET", f"/v3/clusters/{CLUSTER}")
    leads = cluster.headers["X-API-Schemas"]
    assert leads == f"{URL}/v3/cluster/{CLUSTER}/schemas"
    schemas = {it["id"]: it for it in server.ask("GET", leads).json()["data"]}
    assert schemas["namespace"]["links"]["collection"] == f"{URL}/v3/cluster/{CLUSTER}/namespaces"


def test_a_cluster_is_found_by_its_name_without_a_token_being_made(server: RancherDouble) -> None:
    """A look-up creates nothing."""
    before = len(server.ask("GET", "/v3/tokens").json()["data"])
    found = server.ask("GET", "/v3/clusters?name=east").json()["data"]
    assert [it["id"] for it in found] == [CLUSTER]
    assert {"type": "Ready", "status": "True"}.items() <= found[0]["conditions"][0].items()
    assert server.ask("GET", "/v3/clusters?name=north").json()["data"] == []
    assert len(server.ask("GET", "/v3/tokens").json()["data"]) == before


def test_a_kubeconfig_leads_through_the_proxy_by_a_token_of_its_own(server: RancherDouble) -> None:
    """It is the kubeconfig of Rancher's user interface, and a server's setting limits its token."""
    cluster = server.ask("GET", f"/v3/clusters/{CLUSTER}").json()
    made = server.ask("POST", cluster["actions"]["generateKubeconfig"]).json()
    assert f"server: {URL}/k8s/clusters/{CLUSTER}" in made["config"]
    own = next(it for it in server.ask("GET", "/v3/tokens").json()["data"] if it["name"].startswith("kubeconfig-"))
    assert own["name"] in made["config"]
    assert own["ttl"] == 43200 * 60 * 1000


def test_settings_say_the_version_and_the_limits_of_tokens(server: RancherDouble) -> None:
    """The provider reads the version before it creates a token."""
    assert server.ask("GET", "/v3/settings/server-version").json()["value"] == "v2.13.0"
    assert server.ask("GET", f"/v3/settings/{tokens.MAX_TTL}").json()["value"] == "129600"
    assert server.ask("PUT", "/v3/settings/server-version", {"value": "v9"}).status_code == 405
    changed = server.ask("PUT", f"/v3/settings/{tokens.MAX_TTL}", {"value": "60"}).json()
    assert (changed["value"], changed["customized"]) == ("60", True)


@pytest.mark.parametrize("path", ["/ping", "/v3/settings/cacerts"])
def test_little_may_be_asked_without_a_token(server: RancherDouble, path: str) -> None:
    """Such requests can read the CA, but change nothing."""
    assert server.ask("GET", path, token="").status_code == 200
    assert server.ask("PUT", path, {"value": ""}, token="").status_code == 401


@pytest.mark.parametrize("path", ["/v3", "/v3/projects", f"/k8s/clusters/{CLUSTER}/api", "/nothing"])
def test_everything_else_needs_one(server: RancherDouble, path: str) -> None:
    """The answer has Rancher's form, in which even the status is text."""
    answer = server.ask("GET", path, token="")
    assert answer.status_code == 401
    assert answer.json() == {"type": "error", "status": "401", "message": "Unauthorized 401: must authenticate"}


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/v3/projects/c-east1:p-zzzzz", "NotFound", 'projects.management.cattle.io "p-zzzzz" not found'),
        ("/v3/projects/p-zzzzz", "NotFound", "failed to find resource by id"),
        ("/v3/clusters/c-zzzzz", "NotFound", 'clusters.management.cattle.io "c-zzzzz" not found'),
        ("/v3/nodepools", "NotFound", "failed to find schema nodepools"),
        (f"/v3/cluster/{CLUSTER}/namespaces/none", "NotFound", 'namespaces "none" not found'),
        ("/v3/schemas/none", "NotFound", "no such schema"),
    ],
)
def test_what_is_not_there_is_said_in_rancher_s_words(
    server: RancherDouble, path: str, code: str, message: str
) -> None:
    """Clients recognize a missing object by the status, and users by the text."""
    answer = server.ask("GET", path)
    assert answer.status_code == 404
    assert answer.json() == {"baseType": "error", "code": code, "message": message, "status": 404, "type": "error"}


def test_the_api_of_a_cluster_that_there_is_not_is_unavailable(server: RancherDouble) -> None:
    """Rancher treats it as a cluster that it cannot reach."""
    answer = server.ask("GET", "/v3/cluster/c-zzzzz/namespaces")
    assert (answer.status_code, answer.json()["code"]) == (503, "ClusterUnavailable")
    assert answer.json()["message"] == 'clusters.management.cattle.io "c-zzzzz" not found'


def test_an_action_that_there_is_not_is_refused(server: RancherDouble) -> None:
    """The error names the action."""
    answer = server.ask("POST", f"/v3/clusters/{CLUSTER}?action=fly")
    assert (answer.status_code, answer.json()["message"]) == (422, "Invalid action: fly")


def test_a_collection_says_how_to_turn_it_round(server: RancherDouble) -> None:
    """A query by name finds it."""
    shown = server.ask("GET", "/v3/clusters?name=east").json()
    assert shown["sort"]["reverse"].endswith("/v3/clusters?name=east&order=desc")


def test_a_setting_says_where_its_value_is_from(server: RancherDouble) -> None:
    """Settings of the configuration are read-only, and the error contains this reason."""
    sources = {
        name: server.ask("GET", f"/v3/settings/{name}").json()["source"]
        for name in ("server-version", "server-url", "auth-token-max-ttl-minutes")
    }
    assert sources == {"server-version": "env", "server-url": "db", "auth-token-max-ttl-minutes": "default"}
    refused = server.ask("PUT", "/v3/settings/server-version", {"value": "v0"})
    expected = "server-version is readOnly because its value is from environment variable"
    assert (refused.status_code, refused.json()["message"]) == (405, expected)


def test_a_method_that_a_type_has_not_is_refused(server: RancherDouble) -> None:
    """Clients cannot create clusters or change tokens."""
    assert server.ask("POST", "/v3/clusters", {"name": "north"}).json()["code"] == "MethodNotAllow"
    assert server.ask("PUT", f"/v3/tokens/{server.admin.partition(':')[0]}", {}).status_code == 405


def test_a_body_that_is_no_object_is_refused(server: RancherDouble) -> None:
    """The error has the code that clients expect."""
    answer = server.ask("POST", "/v3/projects", ["istio"])
    assert (answer.status_code, answer.json()["code"]) == (422, "InvalidBodyContent")


def test_registration_tokens_are_there_for_a_look_up_of_the_cluster(server: RancherDouble) -> None:
    """The provider looks one up, and would otherwise create one and wait for it."""
    found = server.ask("GET", f"/v3/clusterregistrationtokens/{CLUSTER}:default-token").json()
    assert found["command"]
    assert found["nodeCommand"]


def test_what_a_server_remembered_is_there_after_a_restart(server: RancherDouble) -> None:
    """Only the owner can read the file."""
    made = server.project()
    again = type(server)(server.config.admin_token_file.parent)
    assert again.ask("GET", f"/v3/projects/{made['id']}").json()["name"] == "istio"
    assert again.admin == server.admin
    state = server.config.state_file
    assert state is not None
    assert state.stat().st_mode & 0o777 == 0o600
    assert json.loads(state.read_text())["projects"][made["id"]]["clusterId"] == CLUSTER
