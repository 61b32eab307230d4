"""A namespace's ResourceQuota and LimitRange."""

import json

import pytest

from lab.rancher import names, quantities, quotas
from lab.rancher.controllers import namespaces
from lab.rancher.store import Document
from tests.support.kube_double import KubeDouble
from tests.support.rancher_double import RancherDouble

NAMESPACE = "/api/v1/namespaces/istio-system"
QUOTAS = f"{NAMESPACE}/resourcequotas"
LIMITS = f"{NAMESPACE}/limitranges"
DEFAULTS = {"default": {"cpu": "200m", "memory": "128Mi"}, "defaultRequest": {"cpu": "100m", "memory": "64Mi"}}


def one(kube: KubeDouble, path: str) -> Document:
    """Return the only object of a collection."""
    found = kube.under(path)
    assert len(found) == 1
    return found[0]


def place(server: RancherDouble, project: Document, **annotations: str) -> None:
    """Create the namespace in the project with the cluster's API."""
    server.kube.add_namespace("istio-system", {names.PROJECT_ID: project["id"], **annotations})


def test_a_namespace_gets_what_its_project_gives(server: RancherDouble) -> None:
    """It gets quota, container defaults, label and annotations."""
    project = server.project()
    place(server, project)
    server.reconcile()
    quota, limits = one(server.kube, QUOTAS), one(server.kube, LIMITS)
    assert quota["spec"]["hard"] == {"limits.cpu": "12000m", "limits.memory": "12000Mi"}
    assert limits["spec"]["limits"] == [{"type": "Container", **DEFAULTS}]
    for it in (quota, limits):
        assert it["metadata"]["name"].startswith("default-")
        assert it["metadata"]["labels"] == {names.DEFAULT_QUOTA: "true"}
    metadata = server.kube.namespace("istio-system")
    assert metadata["labels"] == {names.PROJECT_ID: project["id"].partition(":")[2]}
    assert metadata["annotations"][names.RESOURCE_QUOTA] == '{"limit":{"limitsCpu":"12000m","limitsMemory":"12000Mi"}}'
    assert metadata["annotations"][names.NAMESPACE_AUTH] == "true"


def test_a_second_look_changes_nothing(server: RancherDouble) -> None:
    """Otherwise watching clients would get endless changes."""
    place(server, server.project())
    server.reconcile()
    before = json.dumps(server.kube.objects)
    server.advance(hours=1)
    server.reconcile()
    assert json.dumps(server.kube.objects) == before


def test_a_namespace_s_own_quota_counts_for_what_the_project_limits(server: RancherDouble) -> None:
    """Fields that the project lacks are omitted; fields that the namespace lacks come from the project."""
    limit = json.dumps({"limit": {"limitsCpu": "1", "pods": "5"}})
    place(server, server.project(), **{names.RESOURCE_QUOTA: limit})
    server.reconcile()
    assert one(server.kube, QUOTAS)["spec"]["hard"] == {"limits.cpu": "1", "limits.memory": "12000Mi"}


def test_a_quota_that_does_not_go_into_the_project_s_is_none(server: RancherDouble) -> None:
    """The limit of an oversubscribed resource is zero, and a condition contains the reason."""
    project = server.project()
    server.kube.add_namespace("first", {names.PROJECT_ID: project["id"]})
    server.reconcile()
    place(server, project)
    server.reconcile()
    assert one(server.kube, QUOTAS)["spec"]["hard"] == {"limits.cpu": "0", "limits.memory": "0"}
    condition = namespaces.conditions(server.kube.objects[NAMESPACE])["ResourceQuotaValidated"]
    message = "Oversubscribed resource quota [limits.cpu=24,limits.memory=24000Mi]"
    assert (condition["status"], condition["message"]) == ("False", message)
    used = server.ask("GET", project["links"]["self"]).json()["resourceQuota"]["usedLimit"]
    assert used == {"limitsCpu": "12", "limitsMemory": "12000Mi"}


def test_what_a_namespace_has_it_keeps_when_another_asks_for_too_much(server: RancherDouble) -> None:
    """Later reconciliations do not change that, until the deletion of the first namespace frees its quota."""
    project = server.project()
    server.kube.add_namespace("first", {names.PROJECT_ID: project["id"]})
    server.reconcile()
    place(server, project)
    for _ in range(3):
        server.reconcile()
    condition = namespaces.conditions(server.kube.objects["/api/v1/namespaces/first"])["ResourceQuotaValidated"]
    assert condition["status"] == "True"
    hard = one(server.kube, "/api/v1/namespaces/first/resourcequotas")["spec"]["hard"]
    assert hard == {"limits.cpu": "12000m", "limits.memory": "12000Mi"}
    server.kube.objects = {key: it for key, it in server.kube.objects.items() if "/first" not in key}
    server.reconcile()
    assert one(server.kube, QUOTAS)["spec"]["hard"] == hard
    assert namespaces.conditions(server.kube.objects[NAMESPACE])["ResourceQuotaValidated"]["status"] == "True"


def test_a_new_default_of_the_project_reaches_a_namespace_that_has_none_of_its_own(server: RancherDouble) -> None:
    """It takes the new defaults for missing fields; container defaults that it already has stay."""
    project = server.project()
    place(server, project, **{names.RESOURCE_QUOTA: json.dumps({"limit": {"limitsCpu": "1"}})})
    server.reconcile()
    more = {"limit": {"limitsCpu": "12", "limitsMemory": "12000Mi", "pods": "9"}}
    body = {"resourceQuota": more, "namespaceDefaultResourceQuota": more}
    assert server.ask("PUT", project["links"]["self"], body).status_code == 200
    server.reconcile()
    assert one(server.kube, QUOTAS)["spec"]["hard"] == {"limits.cpu": "1", "limits.memory": "12000Mi", "pods": "9"}


def test_without_quota_in_the_project_there_is_none_in_the_namespace(server: RancherDouble) -> None:
    """The object and its annotation are removed."""
    project = server.project()
    place(server, project)
    server.reconcile()
    body = {"name": "istio", "clusterId": project["clusterId"]}
    server.ask("PUT", f"{project['links']['self']}?_replace=true", body)
    server.reconcile()
    assert server.kube.under(QUOTAS) == []
    assert names.RESOURCE_QUOTA not in server.kube.namespace("istio-system")["annotations"]


def test_a_limit_range_with_rancher_s_label_is_taken_for_its_own(server: RancherDouble) -> None:
    """This holds for every creator: there is no second object, and it gets the project's values."""
    project = server.project()
    place(server, project)
    theirs = {"type": "Container", "default": {"cpu": "100m", "memory": "100Mi"}, "defaultRequest": {"cpu": "10m"}}
    metadata = {"name": "istio-limitrange", "labels": {names.DEFAULT_QUOTA: "true"}}
    server.kube.objects[f"{LIMITS}/istio-limitrange"] = {"metadata": metadata, "spec": {"limits": [theirs]}}
    server.reconcile()
    kept = one(server.kube, LIMITS)
    assert kept["metadata"]["name"] == "istio-limitrange"
    assert kept["spec"]["limits"][0]["default"] == DEFAULTS["default"]


def test_a_namespace_outside_every_project_is_left_alone(server: RancherDouble) -> None:
    """Only the condition that it was processed is set."""
    server.kube.add_namespace("istio-system")
    server.reconcile()
    assert server.kube.under(QUOTAS) + server.kube.under(LIMITS) == []
    assert "labels" not in server.kube.namespace("istio-system")


def test_the_namespaces_that_a_cluster_comes_with_go_to_its_first_projects(server: RancherDouble) -> None:
    """System namespaces get the system project, and `default` gets the other one."""
    for name in ("kube-system", "default"):
        server.kube.add_namespace(name)
    server.reconcile()
    projects = {it["id"]: it["name"] for it in server.ask("GET", "/v3/projects").json()["data"]}
    placed = {name: server.kube.namespace(name)["annotations"][names.PROJECT_ID] for name in ("kube-system", "default")}
    assert {name: projects[it] for name, it in placed.items()} == {"kube-system": "System", "default": "Default"}


def test_nonsense_in_one_namespace_does_not_keep_the_others_waiting(server: RancherDouble) -> None:
    """The error affects only that namespace."""
    project = server.project()
    server.kube.add_namespace("bad", {names.PROJECT_ID: project["id"], names.RESOURCE_QUOTA: "{"})
    server.kube.add_namespace("good", {names.CONTAINER_LIMIT: json.dumps({"limitsCpu": "1"})})
    server.reconcile()
    assert one(server.kube, "/api/v1/namespaces/good/limitranges")["spec"]["limits"][0]["default"] == {"cpu": "1"}


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("12000m", "12"), ("12000Mi", "12000Mi"), ("1500m", "1500m"), ("2048Mi", "2Gi"), ("1000", "1k"), ("0", "0")],
)
def test_quantities_are_written_as_kubernetes_writes_them(quantity: str, expected: str) -> None:
    """Messages contain them in this notation."""
    assert quantities.render({"it": quantity}) == f"it={expected}"


def test_extended_resources_are_limited_by_their_own_names() -> None:
    """Their names are the same in both APIs."""
    limit = {"extended": {"requests.nvidia.com/gpu": "2"}, "servicesLoadBalancers": "1"}
    assert quotas.to_resources(limit) == {"requests.nvidia.com/gpu": "2", "services.loadbalancers": "1"}


def test_a_quantity_that_is_none_is_named() -> None:
    """The error contains the field."""
    with pytest.raises(ValueError, match=r'parsing quantity "limitsCpu": quantities must match'):
        quotas.to_resources({"limitsCpu": "much"})
