"""What a changed manifest takes from other field managers."""

from typing import Any

from mesh import field_owners

OWN = "pulumi-kubernetes-1"


def live(*managed: dict[str, Any], **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
    """Return an object with these managers' fields."""
    return {"kind": "X", "metadata": {"name": "x", "managedFields": list(managed)}, **rest}


def manages(manager: str, fields: dict[str, Any], **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
    """Return an entry of `managedFields`."""
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, **rest}


SPEC: dict[str, Any] = {"f:spec": {"f:replicas": {}, "f:http": {}}}


def test_a_changed_field_is_taken_from_its_manager() -> None:
    """By its path alone."""
    found = live(manages("rancher", SPEC), spec={"replicas": 0, "http": [1]})
    assert field_owners.taken(found, {"spec": {"replicas": 2, "http": [1]}}, OWN) == {"rancher": ["spec.replicas"]}


def test_a_list_is_one_field() -> None:
    """Whatever is inside it, and whether its items have keys or not."""
    fields: dict[str, Any] = {"f:spec": {"f:ports": {'k:{"port":80}': {".": {}, "f:name": {}}}}}
    found = live(manages("kubectl-edit", fields), spec={"ports": [{"port": 80, "name": "a"}]})
    manifest = {"spec": {"ports": [{"port": 80, "name": "b"}]}}
    assert field_owners.taken(found, manifest, OWN) == {"kubectl-edit": ["spec.ports"]}


def test_several_managers_lose_each_their_own() -> None:
    """One of them twice, by two versions of the API."""
    found = live(
        manages("rancher", {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}),
        manages("helm", {"f:spec": {"f:x": {}}}),
        manages("helm", {"f:spec": {"f:x": {}}}),
        spec={"x": 1},
    )
    found["metadata"]["labels"] = {"a": "theirs"}
    manifest = {"metadata": {"labels": {"a": "ours"}}, "spec": {"x": 2}}
    assert field_owners.taken(found, manifest, OWN) == {"rancher": ["metadata.labels.a"], "helm": ["spec.x"]}


def test_what_stays_as_it_is_is_taken_from_nobody() -> None:
    """The same value, a field that the manifest does not state, and the status."""
    found = live(
        manages("rancher", SPEC),
        manages("controller", {"f:spec": {"f:replicas": {}}}, subresource="status"),
        spec={"replicas": 2, "http": [1]},
    )
    assert field_owners.taken(found, {"spec": {"replicas": 2}}, OWN) == {}


def test_own_fields_are_no_others() -> None:
    """Another stack of Pulumi has a manager of its own."""
    found = live(manages(OWN, SPEC), manages("pulumi-kubernetes-2", SPEC), spec={"replicas": 1})
    assert field_owners.taken(found, {"spec": {"replicas": 2}}, OWN) == {"pulumi-kubernetes-2": ["spec.replicas"]}


def test_an_object_without_managers_is_taken_from_nobody() -> None:
    """As a state of an older version may hold it."""
    assert field_owners.taken({"metadata": {}}, {"spec": {"replicas": 2}}, OWN) == {}
    assert field_owners.taken({}, {"spec": {}}, OWN) == {}
