"""The program's changes to the objects of a chart, and the order of the objects."""

from typing import Any

import pytest

from mesh import manifests


def manifest(kind: str, name: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
    """Return an object of a kind."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest}


def test_a_deployment_without_a_count_and_without_an_autoscaler_gets_one_replica() -> None:
    """Otherwise a count that someone changed would stay, because the stack would not contain any."""
    scaler = manifest("HorizontalPodAutoscaler", "a", spec={"scaleTargetRef": {"name": "scaled"}})
    objects = [
        scaler,
        manifest("Deployment", "scaled", spec={}),
        manifest("Deployment", "plain", spec={"selector": {}}),
        manifest("Deployment", "counted", spec={"replicas": 3}),
        manifest("ConfigMap", "c"),
    ]
    found = {each["metadata"]["name"]: each.get("spec") for each in manifests.prepare(objects)}
    assert found["scaled"] == {}
    assert found["plain"] == {"replicas": 1, "selector": {}}
    assert found["counted"] == {"replicas": 3}
    assert found["c"] is None


def test_objects_are_sorted_so_that_each_comes_after_what_it_needs() -> None:
    """The order in the chart has no influence."""
    kinds = ["Deployment", "RoleBinding", "Role", "ConfigMap", "ClusterRoleBinding", "ServiceAccount", "ClusterRole"]
    found = [each["kind"] for each in manifests.prepare([manifest(kind, "x", spec={}) for kind in kinds])]
    for place, kind in enumerate(found):
        assert not set(found[place:]) & manifests.NEEDS.get(kind, frozenset())


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("v1", "ConfigMap", "kubernetes:core/v1:ConfigMap"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
    ],
)
def test_types_are_those_of_pulumis_kubernetes_package(api_version: str, kind: str, expected: str) -> None:
    """Pulumi's package has a name for the core group, and the API has none."""
    assert manifests.type_token({"apiVersion": api_version, "kind": kind}) == expected


@pytest.mark.parametrize(("policy", "expected"), [("keep", True), ("delete", False), (None, False)])
def test_an_object_is_kept_if_its_chart_says_so(policy: str | None, *, expected: bool) -> None:
    """Helm's annotation requests this. An object may have no annotation."""
    annotations = {"helm.sh/resource-policy": policy} if policy else None
    found = {"kind": "X", "metadata": {"name": "x", "annotations": annotations}}
    assert manifests.is_kept(found) is expected


def test_no_service_of_a_chart_is_waited_for() -> None:
    """Resources that need its endpoints depend on the Deployment behind it. Other annotations stay."""
    service = manifest("Service", "istiod")
    noted = {**service, "metadata": {"name": "istiod", "annotations": {"a": "b"}}}
    found = [each["metadata"]["annotations"] for each in manifests.prepare([service, noted])]
    skip = {"pulumi.com/skipAwait": "true"}
    assert found == [skip, {"a": "b", **skip}]
    assert service == manifest("Service", "istiod")


def test_crds_lose_the_descriptions_of_their_schemas_and_nothing_else() -> None:
    """A property may have the name `description`, and a default or an allowed value may contain it as a key."""

    def schema(*, described: bool) -> dict[str, Any]:
        text: dict[str, Any] = {"description": "for readers"} if described else {}
        leaf = {"type": "string", **text}
        return {
            **text,
            "type": "object",
            "required": ["description"],
            "default": {"description": "data"},
            "enum": [{"description": "data"}],
            "properties": {"description": leaf, "list": {"type": "array", "items": leaf, **text}},
            "additionalProperties": {"type": "object", "properties": {"x": leaf}},
            "not": {"anyOf": [leaf, {"required": ["x"]}]},
            "oneOf": [{"allOf": [leaf]}],
            "x-kubernetes-validations": [{"rule": "true"}],
        }

    def crd(*, described: bool) -> dict[str, Any]:
        versions = [
            {"name": "v1", "schema": {"openAPIV3Schema": schema(described=described)}},
            {"name": "v2", "schema": {"openAPIV3Schema": {"type": "object", "additionalProperties": True}}},
            {"name": "v3"},
        ]
        return manifest(manifests.CRD, "x", spec={"group": "g", "versions": versions})

    assert manifests.prepare([crd(described=True)]) == [crd(described=False)]


def test_a_webhooks_deployment_is_available_only_when_its_endpoint_has_reached_the_nodes() -> None:
    """An earlier call of the webhook waits ten seconds. A value of the chart itself stays."""
    webhook = manifest("MutatingWebhookConfiguration", "injector")
    plain = manifest("Deployment", "istiod", spec={})
    own = manifest("Deployment", "istiod", spec={"minReadySeconds": 30})

    def seconds(*objects: manifests.Manifest) -> object:
        (found,) = (each for each in manifests.prepare(objects) if each["kind"] == "Deployment")
        return found["spec"].get("minReadySeconds")

    assert seconds(webhook, plain) == 2
    assert seconds(webhook, own) == 30
    assert seconds(plain) is None
