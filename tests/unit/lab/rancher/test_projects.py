"""The creation, update and deletion of projects, and the checks of their quotas."""

import pytest

from lab.rancher import names
from lab.rancher.store import Document
from tests.support.rancher_double import CLUSTER, RancherDouble

PROJECT_QUOTA = {"limit": {"limitsCpu": "4000m", "limitsMemory": "4000Mi"}}
NAMESPACE_QUOTA = {"limit": {"limitsCpu": "2000m", "limitsMemory": "2000Mi"}}


def test_a_project_reads_back_as_it_was_made(server: RancherDouble) -> None:
    """Quantities keep the client's notation, so that a second preview shows no change."""
    made = server.project(description="Istio")
    assert made["id"].startswith(f"{CLUSTER}:p-")
    read = server.ask("GET", f"/v3/projects/{made['id']}").json()
    expected = {
        "clusterId": CLUSTER,
        "name": "istio",
        "description": "Istio",
        "state": "active",
        "containerDefaultResourceLimit": {
            "limitsCpu": "200m",
            "limitsMemory": "128Mi",
            "requestsCpu": "100m",
            "requestsMemory": "64Mi",
        },
    }
    assert expected.items() <= read.items()
    for quota in ("resourceQuota", "namespaceDefaultResourceQuota"):
        assert read[quota]["limit"] == {"limitsCpu": "12000m", "limitsMemory": "12000Mi"}


def test_a_project_is_found_by_cluster_and_name(server: RancherDouble) -> None:
    """It is found among the initial projects of the cluster."""
    made = server.project()
    every = server.ask("GET", f"/v3/projects?clusterId={CLUSTER}").json()["data"]
    assert {it["name"] for it in every} == {"Default", "System", "istio"}
    found = server.ask("GET", f"/v3/projects?clusterId={CLUSTER}&name=istio").json()["data"]
    assert [it["id"] for it in found] == [made["id"]]


def test_a_replaced_project_loses_what_the_client_leaves_out(server: RancherDouble) -> None:
    """The provider updates a project in this way; Rancher's own fields stay."""
    made = server.project(description="old", labels={"team": "mesh"})
    body = {"id": made["id"], "clusterId": CLUSTER, "name": "istio-2", "labels": {}}
    changed = server.ask("PUT", f"{made['links']['self']}?_replace=true", body).json()
    assert changed["name"] == "istio-2"
    assert "resourceQuota" not in changed
    assert changed["labels"] == {names.CREATOR: names.NORMAN}
    assert names.CREATOR_ROLES in changed["annotations"]
    assert (changed["clusterId"], changed["state"]) == (CLUSTER, "active")


def test_an_updated_project_keeps_what_the_client_leaves_out(server: RancherDouble) -> None:
    """An update without `_replace` merges the fields."""
    made = server.project(description="old")
    changed = server.ask("PUT", made["links"]["self"], {"description": "new"}).json()
    assert changed["description"] == "new"
    assert changed["resourceQuota"] == made["resourceQuota"]


def test_the_system_s_project_cannot_be_removed(server: RancherDouble) -> None:
    """The text is Rancher's."""
    every = server.ask("GET", "/v3/projects?name=System").json()["data"]
    answer = server.ask("DELETE", every[0]["links"]["remove"])
    assert (answer.status_code, answer.json()["message"]) == (405, "System Project cannot be deleted")


def test_with_a_project_go_the_namespaces_that_rancher_made_and_no_others(server: RancherDouble) -> None:
    """A namespace that was created with the cluster's API is released instead."""
    made = server.project()
    server.kube.add_namespace("theirs", {names.PROJECT_ID: made["id"]})
    server.kube.add_namespace("ours", {names.PROJECT_ID: made["id"], names.CREATOR_ID: "user-admin"})
    assert server.ask("DELETE", made["links"]["remove"]).status_code == 200
    assert server.ask("GET", made["links"]["self"]).status_code == 404
    assert "/api/v1/namespaces/ours" not in server.kube.objects
    assert names.PROJECT_ID not in server.kube.namespace("theirs")["annotations"]


@pytest.mark.parametrize(
    ("fields", "code", "field", "message"),
    [
        ({"clusterId": ""}, "MissingRequired", "clusterId", ""),
        ({"name": ""}, "MissingRequired", "name", ""),
        ({"namespaceDefaultResourceQuota": None}, "MissingRequired", "namespaceDefaultResourceQuota", ""),
        ({"resourceQuota": None}, "MissingRequired", "resourceQuota", ""),
        (
            {"namespaceDefaultResourceQuota": {"limit": {"limitsCpu": "1"}}},
            "MissingRequired",
            "namespaceDefaultResourceQuota",
            "does not have all fields defined on a resourceQuota",
        ),
        (
            {"namespaceDefaultResourceQuota": {"limit": {"limitsCpu": "1", "pods": "1"}}},
            "MissingRequired",
            "namespaceDefaultResourceQuota",
            "misses limitsMemory defined on a resourceQuota",
        ),
        (
            {"resourceQuota": PROJECT_QUOTA},
            "MaxLimitExceeded",
            "namespaceDefaultResourceQuota",
            "exceeds limits on fields: limits.cpu=12,limits.memory=12000Mi",
        ),
        (
            {"namespaceDefaultResourceQuota": {"limit": {"limitsCpu": "-1", "limitsMemory": "1Gi"}}},
            "MinLimitExceeded",
            "namespaceDefaultResourceQuota",
            "is negative on fields: limits.cpu=-1",
        ),
    ],
)
def test_quotas_that_do_not_go_together_are_refused(
    server: RancherDouble, fields: Document, code: str, field: str, message: str
) -> None:
    """The error comes before a creation, and has the field and Rancher's text."""
    limit = {"limit": {"limitsCpu": "12000m", "limitsMemory": "12000Mi"}}
    body = {"clusterId": CLUSTER, "name": "istio", "resourceQuota": limit, "namespaceDefaultResourceQuota": limit}
    answer = server.ask("POST", "/v3/projects", body | fields)
    assert answer.status_code == 422
    expected = {"code": code, "fieldName": field, "message": message, "status": 422}
    assert expected.items() <= answer.json().items()
    assert server.ask("GET", "/v3/projects?name=istio").json()["data"] == []


def test_a_quota_below_what_the_namespaces_have_is_refused(server: RancherDouble) -> None:
    """Rancher counts only valid quotas."""
    made = server.project(resourceQuota=PROJECT_QUOTA, namespaceDefaultResourceQuota=NAMESPACE_QUOTA)
    server.kube.add_namespace("sample", {names.PROJECT_ID: made["id"]})
    server.reconcile()
    used = server.ask("GET", made["links"]["self"]).json()["resourceQuota"]["usedLimit"]
    assert used == {"limitsCpu": "2", "limitsMemory": "2000Mi"}
    small = {"limit": {"limitsCpu": "1000m", "limitsMemory": "1000Mi"}}
    body = {"resourceQuota": small, "namespaceDefaultResourceQuota": small}
    answer = server.ask("PUT", made["links"]["self"], body)
    assert answer.json()["message"] == "is below the used limit on fields: limits.cpu=2,limits.memory=2000Mi"


def test_whoever_has_no_role_makes_no_project_and_sees_none(server: RancherDouble) -> None:
    """The status is 403, which clients treat as missing."""
    made = server.project()
    _, token = server.user("reader", names.generate_key())
    refused = server.ask("POST", "/v3/projects", {"clusterId": CLUSTER, "name": "theirs"}, token=token)
    assert (refused.status_code, refused.json()["code"]) == (403, "Forbidden")
    assert refused.json()["message"].startswith('projects.management.cattle.io is forbidden: User "u-')
    assert refused.json()["message"].endswith(f'in API group "management.cattle.io" in the namespace "{CLUSTER}"')
    assert server.ask("GET", "/v3/projects", token=token).json()["data"] == []
    assert server.ask("GET", made["links"]["self"], token=token).status_code == 403
    assert server.ask("GET", f"/v3/clusters/{CLUSTER}", token=token).status_code == 403
