"""The required action for each pending operation of a killed run, derived from the state alone."""

from typing import Any

import pytest

from recovery.pending import kubernetes_id, settle

SERVICE = {
    "urn": "urn:pulumi:lab::mcsps::kubernetes:core/v1:Service::east-istio-ingress",
    "type": "kubernetes:core/v1:Service",
    "inputs": {"metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"}},
}
SERVICE_ID = "istio-system/istio-ingressgateway"
KEY = {"urn": "urn:pulumi:lab::mcsps::tls:index/privateKey:PrivateKey::key", "type": "tls:index/privateKey:PrivateKey"}


def exported(*resources: dict[str, Any], **pending: dict[str, Any]) -> dict[str, Any]:
    """Return a state with these resources, and with one pending operation of each given kind."""
    operations = [{"type": kind, "resource": resource} for kind, resource in pending.items()]
    return {"version": 3, "deployment": {"resources": list(resources), "pending_operations": operations}}


def test_a_kubernetes_object_has_an_id_that_its_name_tells() -> None:
    """The id includes the namespace, if the object has one."""
    assert kubernetes_id(SERVICE) == SERVICE_ID
    cluster_scoped = {"type": "kubernetes:core/v1:Namespace", "inputs": {"metadata": {"name": "sample"}}}
    assert kubernetes_id(cluster_scoped) == "sample"


@pytest.mark.parametrize(
    "resource", [KEY, {"type": "kubernetes:helm.sh/v4:Chart", "inputs": {}}, {"type": "kubernetes:core/v1:Secret"}]
)
def test_what_has_no_fixed_name_is_not_looked_up(resource: dict[str, object]) -> None:
    """These are keys, charts, and objects with a name from the API server."""
    assert kubernetes_id(resource) is None


@pytest.mark.parametrize("state", [{}, {"deployment": None}, exported(SERVICE | {"id": SERVICE_ID})])
def test_a_state_without_anything_pending_needs_nothing(state: dict[str, Any]) -> None:
    """The states are of a new stack, of an empty stack, and of a complete one."""
    assert settle(state).urns == []


def test_an_object_that_was_being_created_is_taken_in_and_deleted() -> None:
    """Only the cluster knows whether the object exists, and its field manager is unknown."""
    settlement = settle(exported(KEY, creating=SERVICE))
    assert settlement.delete == [SERVICE["urn"]]
    key, taken_in = settlement.state["deployment"]["resources"]
    assert key == KEY
    assert (taken_in["urn"], taken_in["id"], taken_in["outputs"]) == (SERVICE["urn"], SERVICE_ID, SERVICE["inputs"])
    assert "pending_operations" not in settlement.state["deployment"]


def test_a_settlement_that_was_cut_off_goes_on() -> None:
    """An imported object that is not deleted yet is still deleted, although no operation is pending."""
    imported = settle(exported(creating=SERVICE)).state
    again = settle(imported)
    assert again.delete == [SERVICE["urn"]]
    assert again.state == imported


def test_what_a_later_run_has_created_is_kept() -> None:
    """Pulumi keeps an interrupted create as pending, even after a later run succeeds."""
    made = SERVICE | {"id": SERVICE_ID, "outputs": {}}
    settlement = settle(exported(made, creating=SERVICE))
    assert settlement.urns == []
    assert settlement.state["deployment"]["resources"] == [made]


def test_the_half_made_successor_of_one_that_serves_is_deleted_by_the_next_up() -> None:
    """An example is a link's token of the next generation. The current token is in use and stays."""
    serves = SERVICE | {"id": "istio-system/of-the-last-generation"}
    settlement = settle(exported(serves, creating=SERVICE))
    assert settlement.delete == []
    assert settlement.urns == [SERVICE["urn"]]
    kept, successor = settlement.state["deployment"]["resources"]
    assert kept == serves
    assert (successor["id"], successor["delete"]) == (SERVICE_ID, True)


def test_an_object_deleted_to_be_replaced_is_deleted_whichever_of_the_two_is_there() -> None:
    """Both objects have the same name, and therefore the same id."""
    settlement = settle(exported(SERVICE | {"id": SERVICE_ID, "pendingReplacement": True}, creating=SERVICE))
    assert settlement.delete == [SERVICE["urn"]]
    assert len(settlement.state["deployment"]["resources"]) == 1


@pytest.mark.parametrize("kind", ["updating", "deleting"])
def test_what_was_being_changed_or_deleted_is_looked_at(kind: str) -> None:
    """An `up` trusts the state, and would miss what a killed `destroy` has deleted."""
    made = SERVICE | {"id": SERVICE_ID}
    assert settle(exported(made, **{kind: made})).refresh == [SERVICE["urn"]]


def test_what_cannot_be_looked_up_is_let_go() -> None:
    """A key that was never in the state is created again."""
    settlement = settle(exported(creating=KEY))
    assert (settlement.dropped, settlement.delete, settlement.refresh) == ([KEY["urn"]], [], [])
    assert settlement.state["deployment"]["resources"] == []


def test_the_state_that_was_exported_stays_as_it_is() -> None:
    """The user still needs it if the import fails."""
    state = exported(creating=SERVICE)
    settle(state)
    assert state == exported(creating=SERVICE)
