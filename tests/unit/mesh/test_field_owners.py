"""The fields that a changed manifest takes from other field managers."""

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
    """The field is identified only by its path."""
    found = live(manages("rancher", SPEC), spec={"replicas": 0, "http": [1]})
    assert field_owners.taken(found, {"spec": {"replicas": 2, "http": [1]}}, OWN) == {"rancher": ["spec.replicas"]}


def test_a_list_is_one_field() -> None:
    """This holds for lists with and without keys for their items, whatever they contain."""
    fields: dict[str, Any] = {"f:spec": {"f:ports": {'k:{"port":80}': {".": {}, "f:name": {}}}}}
    found = live(manages("kubectl-edit", fields), spec={"ports": [{"port": 80, "name": "a"}]})
    manifest = {"spec": {"ports": [{"port": 80, "name": "b"}]}}
    assert field_owners.taken(found, manifest, OWN) == {"kubectl-edit": ["spec.ports"]}


def test_several_managers_lose_each_their_own() -> None:
    """One of the managers has two entries, for two versions of the API."""
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
    """A field with the same value, a field that the manifest does not contain, and the status stay."""
    found = live(
        manages("rancher", SPEC),
        manages("controller", {"f:spec": {"f:replicas": {}}}, subresource="status"),
        spec={"replicas": 2, "http": [1]},
    )
    assert field_owners.taken(found, {"spec": {"replicas": 2}}, OWN) == {}


def test_own_fields_are_no_others() -> None:
    """Another stack of Pulumi has a different manager."""
    found = live(manages(OWN, SPEC), manages("pulumi-kubernetes-2", SPEC), spec={"replicas": 1})
    assert field_owners.taken(found, {"spec": {"replicas": 2}}, OWN) == {"pulumi-kubernetes-2": ["spec.replicas"]}


def test_an_object_without_managers_is_taken_from_nobody() -> None:
    """The state of an older version of the program may contain such an object."""
    assert field_owners.taken({"metadata": {}}, {"spec": {"replicas": 2}}, OWN) == {}
    assert field_owners.taken({}, {"spec": {}}, OWN) == {}


def test_an_atomic_map_is_one_field() -> None:
    """A selector is such a map: `managedFields` contains no part of it."""
    found = live(manages("kubectl-edit", {"f:spec": {"f:selector": {}}}), spec={"selector": {"app": "theirs"}})
    assert field_owners.taken(found, {"spec": {"selector": {"app": "ours"}}}, OWN) == {
        "kubectl-edit": ["spec.selector"]
    }
    assert field_owners.taken(found, {"spec": {"selector": {"app": "theirs"}}}, OWN) == {}


def test_a_field_of_an_item_that_the_manifest_does_not_state_is_not_taken() -> None:
    """Examples are istiod's CA in the webhooks of its chart, and another program's item in the same list."""
    fields: dict[str, Any] = {
        "f:webhooks": {
            'k:{"name":"ours"}': {"f:clientConfig": {"f:caBundle": {}}},
            'k:{"name":"theirs"}': {".": {}, "f:name": {}},
        }
    }
    webhook = {"name": "ours", "clientConfig": {"caBundle": "CA"}, "timeoutSeconds": 10}
    found = live(manages("pilot-discovery", fields), webhooks=[webhook, {"name": "theirs"}])
    assert field_owners.taken(found, {"webhooks": [{"name": "ours", "timeoutSeconds": 5}]}, OWN) == {}


def test_an_item_is_found_without_the_defaults_of_its_key() -> None:
    """A manifest rarely contains the protocol of a port."""
    fields: dict[str, Any] = {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {"f:targetPort": {}}}}}
    ports = [{"port": 80, "protocol": "UDP", "targetPort": 1}, {"port": 80, "protocol": "TCP", "targetPort": 2}]
    found = live(manages("rancher", fields), spec={"ports": ports})
    assert field_owners.taken(found, {"spec": {"ports": [{"port": 80, "targetPort": 3}]}}, OWN) == {
        "rancher": ["spec.ports"]
    }
    assert field_owners.taken(found, {"spec": {"ports": [{"port": 80, "targetPort": 2}]}}, OWN) == {}


def test_an_item_of_a_list_that_the_object_lacks_is_taken() -> None:
    """A manager's entry may be for another version of the API than the object that was read."""
    fields: dict[str, Any] = {"f:spec": {"f:ports": {'k:{"port":80}': {".": {}, "f:name": {}}}}}
    found = live(manages("kubectl-edit", fields), spec={"type": "ClusterIP"})
    manifest = {"spec": {"ports": [{"port": 80, "name": "a"}]}}
    assert field_owners.taken(found, manifest, OWN) == {"kubectl-edit": ["spec.ports"]}


def test_a_set_s_members_stay_with_their_managers() -> None:
    """The API server merges finalizers."""
    found = live(manages("rancher", {"f:metadata": {"f:finalizers": {".": {}, 'v:"theirs"': {}}}}))
    found["metadata"]["finalizers"] = ["theirs"]
    assert field_owners.taken(found, {"metadata": {"finalizers": ["ours"]}}, OWN) == {}


def test_a_value_in_the_place_of_a_map_takes_the_map() -> None:
    """The value may be unknown in a preview."""
    found = live(manages("rancher", {"f:data": {".": {}, "f:key": {}}}), data={"key": "theirs"})
    assert field_owners.taken(found, {"data": object()}, OWN) == {"rancher": ["data"]}


def test_other_managers_are_those_of_more_than_the_status() -> None:
    """Each manager is listed once, and a manager without fields is not listed."""
    found = live(
        manages(OWN, SPEC),
        manages("kubectl", SPEC),
        manages("kubectl", SPEC),
        manages("helm", SPEC),
        manages("empty", {}),
        manages("kube-apiserver", {"f:status": {}}, subresource="status"),
    )
    assert field_owners.others(found, OWN) == ["kubectl", "helm"]
    assert field_owners.others({}, OWN) == []
