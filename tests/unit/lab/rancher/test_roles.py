"""Role templates, their bindings, and the resulting objects in a cluster."""

import pytest

from lab.rancher import names
from lab.rancher.controllers import access
from lab.rancher.store import Document
from tests.support.rancher_double import CLUSTER, RancherDouble

RBAC = "/apis/rbac.authorization.k8s.io/v1"
RULES = [{"apiGroups": [""], "resources": ["endpoints", "services"], "verbs": ["get", "list", "watch"]}]


def template(server: RancherDouble, **fields: object) -> Document:
    """Create a role template for a reader."""
    return server.make("/v3/roletemplates", {"name": "mesh reader", "context": "cluster", "rules": RULES} | fields)


def bind(server: RancherDouble, user: str, role: str) -> Document:
    """Create a binding of a user in the cluster."""
    body = {"clusterId": CLUSTER, "roleTemplateId": role, "userId": user}
    return server.make("/v3/clusterroletemplatebindings", body)


def test_a_role_template_reads_back_as_it_was_made(server: RancherDouble) -> None:
    """Its id is Rancher's."""
    made = template(server)
    assert made["id"].startswith("rt-")
    read = server.ask("GET", f"/v3/roleTemplates/{made['id']}").json()
    assert {"name": "mesh reader", "context": "cluster", "rules": RULES}.items() <= read.items()


def test_what_came_with_the_server_stays_as_it_is(server: RancherDouble) -> None:
    """Builtin templates can be neither changed nor deleted."""
    path = "/v3/roletemplates/cluster-owner"
    assert server.ask("PUT", path, {"rules": []}).status_code == 403
    assert server.ask("DELETE", path).status_code == 403


def test_a_binding_gives_a_user_the_rules_in_the_cluster(server: RancherDouble) -> None:
    """It also makes the cluster visible; without it, the user has neither."""
    user, token = server.user("reader", names.generate_key())
    made = template(server)
    binding = bind(server, user, made["id"])
    assert binding["id"].startswith(f"{CLUSTER}:crtb-")
    assert binding["userPrincipalId"] == f"local://{user}"
    server.reconcile()
    assert server.kube.objects[f"{RBAC}/clusterroles/{made['id']}"]["rules"] == RULES
    bound = [it for it in server.kube.under(f"{RBAC}/clusterrolebindings") if it["roleRef"]["name"] == made["id"]]
    assert [it["subjects"][0]["name"] for it in bound] == [user]
    assert [it["id"] for it in server.ask("GET", "/v3/clusters", token=token).json()["data"]] == [CLUSTER]
    assert server.ask("GET", f"/k8s/clusters/{CLUSTER}/api/v1/namespaces", token=token).status_code == 200


def test_a_binding_keeps_the_name_that_it_was_given(server: RancherDouble) -> None:
    """The scope is part of the id, and every scope occurs."""
    body = {"clusterId": CLUSTER, "name": "readers", "roleTemplateId": "cluster-member", "userId": "user-admin"}
    made = server.make("/v3/clusterroletemplatebindings", body)
    assert (made["id"], made["name"]) == (f"{CLUSTER}:readers", "readers")
    again = server.ask("POST", "/v3/clusterroletemplatebindings", body)
    assert (again.status_code, again.json()["code"]) == (409, "AlreadyExists")


def test_a_binding_that_is_removed_takes_the_rules_away(server: RancherDouble) -> None:
    """This holds in the cluster and in the server's API."""
    user, token = server.user("reader", names.generate_key())
    made = template(server)
    binding = bind(server, user, made["id"])
    server.reconcile()
    server.ask("DELETE", binding["links"]["remove"])
    server.reconcile()
    bound = server.kube.under(f"{RBAC}/clusterrolebindings")
    assert [it["metadata"]["name"] for it in bound] == ["globaladmin-user-admin"]
    assert server.ask("GET", f"/k8s/clusters/{CLUSTER}/api/v1/namespaces", token=token).status_code == 403


def test_a_template_that_is_removed_takes_its_role_out_of_the_cluster(server: RancherDouble) -> None:
    """Objects of other bindings, and those that Rancher did not create, stay."""
    user, _ = server.user("reader", names.generate_key())
    gone, kept = template(server), template(server)
    bindings = [bind(server, user, it["id"]) for it in (gone, kept)]
    server.kube.objects[f"{RBAC}/clusterroles/view"] = {"kind": "ClusterRole", "metadata": {"name": "view"}}
    server.reconcile()
    for binding in bindings:
        server.ask("DELETE", binding["links"]["remove"])
    assert server.ask("DELETE", f"/v3/roletemplates/{gone['id']}").is_success
    server.reconcile()
    left = [it["metadata"]["name"] for it in server.kube.under(f"{RBAC}/clusterroles")]
    assert sorted(left) == sorted([kept["id"], "view"])


def test_the_administrator_is_one_in_every_cluster(server: RancherDouble) -> None:
    """The binding refers to Kubernetes' own role."""
    server.reconcile()
    binding = server.kube.objects[f"{RBAC}/clusterrolebindings/globaladmin-user-admin"]
    assert binding["roleRef"]["name"] == "cluster-admin"


def test_a_project_s_members_have_their_role_in_its_namespaces(server: RancherDouble) -> None:
    """This includes later namespaces of the project, and no others."""
    user, _ = server.user("member", names.generate_key())
    project = server.project()
    body = {"projectId": project["id"], "roleTemplateId": "read-only", "userId": user}
    made = server.make("/v3/projectroletemplatebindings", body)
    assert made["id"].startswith(f"{project['id'].partition(':')[2]}:prtb-")
    server.kube.add_namespace("sample", {names.PROJECT_ID: project["id"]})
    server.kube.add_namespace("other")
    server.reconcile()
    bound = [it for it in server.kube.under(f"{RBAC}/rolebindings") if it["subjects"][0]["name"] == user]
    assert {(it["metadata"]["namespace"], it["roleRef"]["name"]) for it in bound} == {
        ("sample", "read-only"),
        ("sample", "view"),
    }
    # This role exists in Kubernetes.
    assert f"{RBAC}/clusterroles/view" not in server.kube.objects


def test_whoever_makes_a_project_owns_it(server: RancherDouble) -> None:
    """The binding is Rancher's, and is deleted with the project."""
    project = server.project()
    query = f"/v3/projectroletemplatebindings?projectId={project['id']}"
    found = server.ask("GET", query).json()["data"]
    assert [(it["roleTemplateId"], it["userId"]) for it in found] == [("project-owner", "user-admin")]
    server.ask("DELETE", project["links"]["remove"])
    assert server.ask("GET", query).json()["data"] == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"clusterId": ""}, 422, "MissingRequired"),
        ({"clusterId": "c-zzzzz"}, 404, "NotFound"),
        ({"roleTemplateId": "none"}, 422, "MissingRequired"),
        ({"userId": ""}, 422, "InvalidBodyContent"),
    ],
)
def test_a_binding_of_nobody_or_to_nothing_is_refused(
    server: RancherDouble, fields: Document, status: int, code: str
) -> None:
    """This holds for each missing part."""
    body = {"clusterId": CLUSTER, "roleTemplateId": "cluster-owner", "userId": "user-admin"} | fields
    answer = server.ask("POST", "/v3/clusterroletemplatebindings", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_cluster_s_owner_makes_projects_in_it_and_nowhere_else(server: RancherDouble) -> None:
    """The owner is no administrator."""
    user, token = server.user("owner", names.generate_key())
    bind(server, user, "cluster-owner")
    body = {"clusterId": CLUSTER, "name": "istio"}
    assert server.ask("POST", "/v3/projects", body, token=token).status_code == 201
    assert server.ask("POST", "/v3/projects", body | {"clusterId": "c-west1"}, token=token).status_code == 403


def test_templates_that_stand_on_each_other_are_gathered_once() -> None:
    """Circular inheritance ends as well."""
    templates = {"a": {"roleTemplateIds": ["b"]}, "b": {"roleTemplateIds": ["a", "none"]}}
    assert access.gather(templates, "a") == ("a", "b")
