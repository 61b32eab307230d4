"""Project network isolation."""

import pytest

from lab.rancher import names
from lab.rancher.controllers import isolation
from lab.rancher.store import Document
from tests.support.rancher_double import RancherDouble

GROUP = "/apis/networking.k8s.io/v1"


@pytest.fixture
def project(isolated: RancherDouble) -> Document:
    """Return a project with two namespaces, in a cluster with two nodes and a system namespace."""
    made = isolated.project()
    for name in ("istio-system", "sample"):
        isolated.kube.add_namespace(name, {names.PROJECT_ID: made["id"]})
    isolated.kube.add_namespace("kube-system")
    for index in (1, 0):
        node = {"metadata": {"name": f"n{index}"}, "spec": {"podCIDR": f"10.42.{index}.0/24"}}
        isolated.kube.objects[f"/api/v1/nodes/n{index}"] = node
    isolated.reconcile()
    return made


def policies(server: RancherDouble) -> dict[tuple[str, str], Document]:
    """Return all policies by namespace and name."""
    found = server.kube.under(f"{GROUP}/networkpolicies")
    return {(it["metadata"]["namespace"], it["metadata"]["name"]): it for it in found}


@pytest.mark.usefixtures("project")
def test_every_namespace_of_a_project_has_both_policies_and_the_system_s_its_own(isolated: RancherDouble) -> None:
    """Namespaces without a project have none."""
    isolated.kube.add_namespace("free")
    isolated.reconcile()
    assert set(policies(isolated)) == {
        ("istio-system", "np-default"),
        ("istio-system", "hn-nodes"),
        ("sample", "np-default"),
        ("sample", "hn-nodes"),
        ("kube-system", "np-default-allow-all"),
    }


def test_the_own_project_and_the_system_s_get_in(isolated: RancherDouble, project: Document) -> None:
    """The policy selects the label of their namespaces, and does not restrict egress."""
    system = isolated.ask("GET", "/v3/projects?name=System").json()["data"][0]["id"].partition(":")[2]
    spec = policies(isolated)["sample", "np-default"]["spec"]
    assert spec["podSelector"] == {}
    assert spec["policyTypes"] == ["Ingress"]
    selected = [it["namespaceSelector"]["matchLabels"] for it in spec["ingress"][0]["from"]]
    assert selected == [{names.PROJECT_ID: project["id"].partition(":")[2]}, {names.PROJECT_ID: system}]
    for name in ("istio-system", "sample"):
        assert selected[0].items() <= isolated.kube.namespace(name)["labels"].items()
    assert selected[1].items() <= isolated.kube.namespace("kube-system")["labels"].items()


@pytest.mark.usefixtures("project")
def test_the_nodes_get_in_by_the_first_address_of_their_pods(isolated: RancherDouble) -> None:
    """They are sorted, and owned by the namespace, so that they are deleted with it."""
    policy = policies(isolated)["sample", "hn-nodes"]
    blocks = [it["ipBlock"]["cidr"] for it in policy["spec"]["ingress"][0]["from"]]
    assert blocks == ["10.42.0.0/32", "10.42.1.0/32"]
    owner = policy["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["uid"]) == ("Namespace", isolated.kube.namespace("sample")["uid"])


@pytest.mark.usefixtures("project")
def test_what_somebody_changes_or_removes_comes_back(isolated: RancherDouble) -> None:
    """Rancher manages the policies."""
    changed, removed = (f"{GROUP}/namespaces/sample/networkpolicies/{it}" for it in ("np-default", "hn-nodes"))
    isolated.kube.objects[changed]["spec"]["ingress"] = [{}]
    del isolated.kube.objects[removed]
    isolated.reconcile()
    assert isolated.kube.objects[changed]["spec"]["ingress"] != [{}]
    assert removed in isolated.kube.objects


@pytest.mark.usefixtures("project")
def test_other_policies_are_left_alone(isolated: RancherDouble) -> None:
    """A system namespace with its own policy does not get Rancher's."""
    path = f"{GROUP}/namespaces/kube-system/networkpolicies/theirs"
    isolated.kube.objects[path] = {"metadata": {"name": "theirs", "namespace": "kube-system"}, "spec": {}}
    isolated.reconcile()
    assert path in isolated.kube.objects
    assert ("kube-system", "np-default-allow-all") not in policies(isolated)


@pytest.mark.usefixtures("project")
def test_a_namespace_that_leaves_its_project_loses_both(isolated: RancherDouble) -> None:
    """Namespaces without a project are open to all."""
    del isolated.kube.namespace("sample")["annotations"][names.PROJECT_ID]
    isolated.reconcile()
    assert not [it for it in policies(isolated) if it[0] == "sample"]


def test_without_isolation_there_are_no_policies(server: RancherDouble) -> None:
    """It is off by default."""
    server.kube.add_namespace("sample", {names.PROJECT_ID: server.project()["id"]})
    server.reconcile()
    assert policies(server) == {}


def test_without_a_node_that_names_its_pods_nobody_is_let_in() -> None:
    """A rule without sources would allow all."""
    assert isolation.nodes_policy({"metadata": {"name": "sample", "uid": "u"}}, []) is None
