"""The rules for each object of a cluster: when it is replaced, and what it reports about other field managers."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
import pytest
from pulumi import ComponentResource, ResourceHook, ResourceHookArgs, ResourceOptions

from components import cluster_objects
from tests.support.components import kubernetes_provider
from tests.support.leaks import fake_secret
from tests.support.recording import RecordingMonitor, record


def namespace(name: str, **options: object) -> None:
    """Register an object."""
    k8s.core.v1.Namespace(name, opts=ResourceOptions(**options))  # type: ignore[arg-type]


def record_component() -> RecordingMonitor:
    """Record objects of two clusters and other resources below a component."""

    def body() -> None:
        east, west = kubernetes_provider("east"), kubernetes_provider("west")
        parent = ComponentResource(
            "test:index:Parent",
            "parent",
            None,
            ResourceOptions(
                provider=east,
                transformations=[
                    cluster_objects.with_options(
                        {
                            east: cluster_objects.object_options("east", "uid of east"),
                            west: cluster_objects.object_options("west", "uid of west"),
                        }
                    )
                ],
            ),
        )
        namespace("inherits", parent=parent)
        namespace("east", parent=parent, provider=east)
        namespace("west", parent=parent, provider=west)
        namespace("renamed", parent=parent, delete_before_replace=False)
        namespace("elsewhere", provider=west)
        random.RandomId("random", byte_length=4, opts=ResourceOptions(parent=parent))
        inner = ComponentResource("test:index:Inner", "inner", None, ResourceOptions(parent=parent))
        namespace("deep", parent=inner)
        pulumi.export("done", "yes")

    return record(body)


def test_each_object_is_created_again_with_its_own_cluster() -> None:
    """The cluster is the one of the object's provider, or of its component's provider."""
    triggers = {found.name: found.replacement_trigger for found in record_component().recorded}
    assert triggers["inherits"] == triggers["east"] == triggers["deep"] == "uid of east"
    assert triggers["west"] == "uid of west"


def test_nothing_else_is_created_again() -> None:
    """Other resources, components, objects of another place and objects with a new name are not replaced."""
    triggers = {found.name: found.replacement_trigger for found in record_component().recorded}
    assert {triggers[name] for name in ("random", "inner", "parent", "renamed", "elsewhere")} == {None}


def test_an_object_is_deleted_before_it_is_created_again() -> None:
    """In the reverse order, the deletion by name would delete the new object."""
    found = {each.name: each.delete_before_replace for each in record_component().recorded}
    assert found["inherits"]
    assert found["west"]
    assert not found["renamed"]


def test_each_object_has_the_hook_of_its_cluster() -> None:
    """No other resource has one."""
    hooks = {found.name: found.hooks for found in record_component().recorded}
    east = {"before_update": ("east-takeover",)}
    assert hooks["inherits"] == hooks["east"] == hooks["deep"] == hooks["renamed"] == east
    assert hooks["west"] == {"before_update": ("west-takeover",)}
    assert hooks["random"] == hooks["elsewhere"] == {}


def hook_of(options: ResourceOptions, moment: str) -> ResourceHook:
    """Return the only hook of a moment."""
    (hook,) = getattr(options.hooks, moment)
    assert isinstance(hook, ResourceHook)
    return hook


def reported(caplog: pytest.LogCaptureFixture, moment: str, **properties: object) -> list[str]:
    """Return what the hook of cluster east logs at a moment."""

    async def body() -> None:
        options = cluster_objects.adopting_options("east", cluster_objects.object_options("east", "uid"))
        hook = hook_of(options, moment)
        result = hook(ResourceHookArgs(urn="", id="", name="", type="", **_made(properties)))
        assert result is not None
        await result

    caplog.clear()
    record(lambda: pulumi.run(body))
    return caplog.messages


def _made(value: Any) -> Any:  # noqa: ANN401 - JSON data
    """Return the outputs of properties, which need the event loop of a program."""
    if isinstance(value, dict):
        return {name: _made(item) for name, item in value.items()}
    return value() if callable(value) else value


def taken(caplog: pytest.LogCaptureFixture, live: dict[str, Any], manifest: dict[str, Any]) -> list[str]:
    """Return what the hook of cluster east logs before an update."""
    return reported(caplog, "before_update", new_inputs=manifest, old_outputs=live)


def managed(kind: str, manager: str, fields: dict[str, Any], **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
    """Return an object in the state of Pulumi, with fields of another manager."""
    managed_fields = [{"manager": manager, "fieldsV1": fields}]
    metadata = {"name": "helloworld", "namespace": "sample", "managedFields": managed_fields}
    return {"kind": kind, "metadata": metadata, "__fieldManager": "pulumi-kubernetes-1", **rest}


LIVE = managed("VirtualService", "rancher", {"f:spec": {"f:http": {}}}, spec={"http": ["theirs"]})


def test_a_preview_reports_as_an_update_does_and_a_failed_report_stops_neither() -> None:
    """The options of both hooks have this effect."""

    def body() -> None:
        options = cluster_objects.adopting_options("east", cluster_objects.object_options("east", "uid"))
        for moment in ("before_update", "after_create"):
            opts = hook_of(options, moment).opts
            assert opts is not None
            assert opts.on_dry_run
            assert opts.ignore_errors

    record(body)


def test_what_is_taken_from_another_manager_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The log contains the object and the cluster, and no value."""
    assert taken(caplog, LIVE, {"spec": {"http": ["ours"]}}) == [
        "VirtualService sample/helloworld of cluster east: takes spec.http from rancher"
    ]


def test_an_object_has_one_line_for_all_managers(caplog: pytest.LogCaptureFixture) -> None:
    """A preview of a whole mesh must stay readable."""
    live = managed("Deployment", "rancher", {"f:spec": {"f:replicas": {}, "f:paused": {}}}, spec={"replicas": 0})
    live["metadata"]["labels"] = {"a": "theirs"}
    live["metadata"]["managedFields"].append({"manager": "helm", "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}}})
    manifest = {"metadata": {"labels": {"a": "ours"}}, "spec": {"replicas": 2, "paused": False}}
    (line,) = taken(caplog, live, manifest)
    assert line.endswith(" takes spec.replicas, spec.paused from rancher; metadata.labels.a from helm")


def test_nothing_is_said_where_nothing_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    """The value is the same, or the fields belong to the stack."""
    assert taken(caplog, LIVE, {"spec": {"http": ["theirs"]}}) == []
    assert taken(caplog, {**LIVE, "__fieldManager": "rancher"}, {"spec": {"http": ["ours"]}}) == []


def test_secrets_are_compared_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Pulumi passes Secrets as outputs, and no two outputs are equal."""
    ours, theirs = fake_secret("ours"), fake_secret("theirs")
    live = managed("Secret", "rancher", {"f:data": {"f:key": {}, "f:other": {}}})
    live["data"] = lambda: pulumi.Output.secret({"key": theirs, "other": theirs})

    def manifest(value: str) -> dict[str, Any]:
        return {"data": lambda: pulumi.Output.secret({"key": value, "other": theirs})}

    assert taken(caplog, live, manifest(theirs)) == []
    assert taken(caplog, live, manifest(ours)) == [
        "Secret sample/helloworld of cluster east: takes data.key from rancher"
    ]
    assert ours not in caplog.text
    assert theirs not in caplog.text


def test_an_adopted_object_is_named_with_its_managers(caplog: pytest.LogCaptureFixture) -> None:
    """A new object has no managers except the one of its status."""
    crd = managed("CustomResourceDefinition", "kubectl", {"f:spec": {"f:group": {}}})
    del crd["metadata"]["namespace"]
    assert reported(caplog, "after_create", new_outputs=crd) == [
        "CustomResourceDefinition helloworld of cluster east: adopts an existing object of kubectl"
    ]
    crd["metadata"]["managedFields"][0]["subresource"] = "status"
    assert reported(caplog, "after_create", new_outputs=crd) == []


def test_all_earlier_stacks_are_one_manager(caplog: pytest.LogCaptureFixture) -> None:
    """Each creation by Pulumi leaves a field manager with a name of its own."""
    crd = managed("CustomResourceDefinition", "pulumi-kubernetes-2f0892e0", {"f:spec": {"f:group": {}}})
    crd["metadata"]["managedFields"].append({"manager": "pulumi-kubernetes-8be1e304", "fieldsV1": {"f:spec": {}}})
    (line,) = reported(caplog, "after_create", new_outputs=crd)
    assert line.endswith("adopts an existing object of an earlier stack")
