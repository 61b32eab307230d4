"""Namespaces through the API of their cluster."""

import json

import pytest

from lab.rancher import names
from lab.rancher.resources import namespaces
from tests.support.rancher_double import CLUSTER, RancherDouble

PATH = f"/v3/cluster/{CLUSTER}/namespaces"
HALF = {"limit": {"limitsCpu": "6000m", "limitsMemory": "6000Mi"}}


def test_a_namespace_is_waiting_until_the_controllers_have_seen_it(server: RancherDouble) -> None:
    """The provider waits for this state."""
    project = server.project()
    made = server.make(PATH, {"name": "sample", "projectId": project["id"], "resourceQuota": HALF})
    assert made["state"] == "activating"
    assert made["links"]["self"].endswith(f"{PATH}/sample")
    server.reconcile()
    read = server.ask("GET", f"{PATH}/sample").json()
    assert (read["state"], read["transitioning"]) == ("active", "no")


def test_a_namespace_is_kubernetes_own_with_rancher_s_annotations(server: RancherDouble) -> None:
    """The client's fields become annotations, and the project's container defaults are copied."""
    project = server.project()
    server.make(PATH, {"name": "sample", "projectId": project["id"], "resourceQuota": HALF, "description": "d"})
    metadata = server.kube.namespace("sample")
    expected = {
        names.PROJECT_ID: project["id"],
        names.RESOURCE_QUOTA: '{"limit":{"limitsCpu":"6000m","limitsMemory":"6000Mi"}}',
        names.CONTAINER_LIMIT: (
            '{"requestsCpu":"100m","requestsMemory":"64Mi","limitsCpu":"200m","limitsMemory":"128Mi"}'
        ),
        names.DESCRIPTION: "d",
        names.CREATOR_ID: "user-admin",
    }
    assert expected.items() <= metadata["annotations"].items()
    assert metadata["labels"] == {names.CREATOR: names.NORMAN}


def test_a_namespace_reads_back_as_it_was_made(server: RancherDouble) -> None:
    """Annotations that are fields do not appear twice."""
    project = server.project()
    body = {"name": "sample", "projectId": project["id"], "resourceQuota": HALF, "labels": {"team": "mesh"}}
    server.make(PATH, body)
    read = server.ask("GET", f"{PATH}/sample").json()
    assert {"projectId": project["id"], "resourceQuota": HALF, "name": "sample"}.items() <= read.items()
    assert read["labels"]["team"] == "mesh"
    assert not [it for it in read["annotations"] if it in {names.PROJECT_ID, names.RESOURCE_QUOTA}]


def test_a_quota_that_does_not_go_into_the_project_s_is_refused(server: RancherDouble) -> None:
    """The existing namespaces count as well, and nothing is created."""
    project = server.project()
    server.make(PATH, {"name": "one", "projectId": project["id"], "resourceQuota": HALF})
    much = {"limit": {"limitsCpu": "6001m", "limitsMemory": "6000Mi"}}
    answer = server.ask("POST", PATH, {"name": "two", "projectId": project["id"], "resourceQuota": much})
    assert answer.status_code == 422
    body = answer.json()
    assert (body["code"], body["fieldName"]) == ("MaxLimitExceeded", "resourceQuota")
    assert body["message"] == "exceeds projectLimit on fields: limits.cpu=12001m"
    assert "/api/v1/namespaces/two" not in server.kube.objects


def test_an_update_changes_labels_and_keeps_rancher_s(server: RancherDouble) -> None:
    """A label that the client omits is removed, except for Rancher's own."""
    server.make(PATH, {"name": "sample", "labels": {"team": "mesh"}})
    body = {"labels": {"env": "test", names.PROJECT_ID: "p-foreign"}, "annotations": {}, "description": "new"}
    changed = server.ask("PUT", f"{PATH}/sample", body).json()
    assert changed["description"] == "new"
    assert "team" not in changed["labels"]
    assert changed["labels"]["env"] == "test"
    assert changed["labels"][names.CREATOR] == names.NORMAN


def test_a_namespace_moves_into_a_project_without_quota_alone(server: RancherDouble) -> None:
    """The rule and the text are Rancher's."""
    limited = server.project()
    free = server.project(name="free", resourceQuota=None, namespaceDefaultResourceQuota=None)
    made = server.make(PATH, {"name": "sample"})
    move = made["actions"]["move"]
    refused = server.ask("POST", move, {"projectId": limited["id"]})
    assert refused.json()["message"] == "can't move namespace. Project istio has resource quota set"
    assert server.ask("POST", move, {"projectId": free["id"].partition(":")[2]}).status_code == 200
    assert server.kube.namespace("sample")["annotations"][names.PROJECT_ID] == free["id"]


def test_a_namespace_without_a_name_gets_one(server: RancherDouble) -> None:
    """This holds for all resources of the API."""
    assert server.make(PATH, {})["id"].startswith("n-")


@pytest.mark.parametrize("name", ["A_b", "-a", "a" * 64])
def test_a_name_that_kubernetes_has_not_is_refused(server: RancherDouble, name: str) -> None:
    """The error comes before a request to the cluster, and contains the field."""
    answer = server.ask("POST", PATH, {"name": name})
    assert (answer.status_code, answer.json()["code"], answer.json()["fieldName"]) == (422, "InvalidFormat", "name")
    assert answer.json()["message"].startswith(f"InvalidFormat 422: invalid value {name}: a lowercase RFC 1123 label")


def test_a_namespace_says_in_whose_use_it_is_counted(server: RancherDouble) -> None:
    """The annotation is removed when it leaves its project, and is not shown as a field."""
    project = server.project(resourceQuota=None, namespaceDefaultResourceQuota=None)
    made = server.make(PATH, {"name": "sample", "projectId": project["id"]})
    server.reconcile()
    assert server.kube.namespace("sample")["annotations"][names.QUOTA_PROJECT] == project["id"]
    server.ask("POST", made["actions"]["move"], {"projectId": None})
    server.reconcile()
    assert names.QUOTA_PROJECT not in server.kube.namespace("sample")["annotations"]


def test_a_namespace_that_is_not_rancher_s_outlives_its_project(server: RancherDouble) -> None:
    """Its label stays, as in Rancher."""
    project = server.project(resourceQuota=None, namespaceDefaultResourceQuota=None)
    server.kube.add_namespace("sample", {names.PROJECT_ID: project["id"]})
    server.reconcile()
    server.ask("DELETE", project["links"]["self"])
    left = server.kube.namespace("sample")
    assert names.PROJECT_ID not in left["annotations"]
    assert left["labels"][names.PROJECT_ID] == project["id"].partition(":")[2]


def test_whoever_may_not_list_namespaces_gets_those_of_his_projects(server: RancherDouble) -> None:
    """A user without a project gets none."""
    project = server.project()
    server.make(PATH, {"name": "theirs"})
    server.make(PATH, {"name": "ours", "projectId": project["id"]})
    user, token = server.user("reader", names.generate_key())
    server.kube.forbidden.add(user)
    assert server.ask("GET", PATH, token=token).json()["data"] == []
    body = {"projectId": project["id"], "roleTemplateId": "read-only", "userId": user}
    server.make("/v3/projectroletemplatebindings", body)
    assert [it["id"] for it in server.ask("GET", PATH, token=token).json()["data"]] == ["ours"]


def test_a_cluster_that_does_not_answer_is_no_empty_list(server: RancherDouble) -> None:
    """The cluster's answer is forwarded."""
    server.kube.refuses = 503
    assert server.ask("GET", PATH).status_code == 503


def test_a_removed_namespace_is_gone(server: RancherDouble) -> None:
    """A later request does not find it."""
    server.make(PATH, {"name": "sample"})
    assert server.ask("DELETE", f"{PATH}/sample").status_code in {200, 204}
    assert server.ask("GET", f"{PATH}/sample").status_code == 404


def test_the_cluster_is_asked_as_the_user(server: RancherDouble) -> None:
    """The cluster decides by its own rights."""
    server.ask("GET", PATH)
    sent = dict(server.kube.seen[-1][2])
    assert sent["impersonate-user"] == "user-admin"


def test_a_namespace_in_trouble_says_so() -> None:
    """The error contains the reason."""
    status = {"Conditions": [{"Type": "ResourceQuotaValidated", "Status": "False", "Message": "Oversubscribed"}]}
    shown = namespaces.render({"metadata": {"name": "sample", "annotations": {names.STATUS: json.dumps(status)}}})
    assert (shown["state"], shown["transitioningMessage"]) == ("error", "Oversubscribed")
