"""What holds for each object of a cluster: it is created again with it, and names what it takes from others."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
import pytest
from pulumi import ComponentResource, ResourceHook, ResourceHookArgs, ResourceOptions

from components import cluster_objects
from tests.support.components import kubernetes_provider
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
    """That of its provider, or of its component's provider."""
    triggers = {found.name: found.replacement_trigger for found in record_component().recorded}
    assert triggers["inherits"] == triggers["east"] == triggers["deep"] == "uid of east"
    assert triggers["west"] == "uid of west"


def test_nothing_else_is_created_again() -> None:
    """Neither other resources, nor components, nor objects elsewhere, nor those whose name changes."""
    triggers = {found.name: found.replacement_trigger for found in record_component().recorded}
    assert {triggers[name] for name in ("random", "inner", "parent", "renamed", "elsewhere")} == {None}


def test_an_object_is_deleted_before_it_is_created_again() -> None:
    """Afterwards, the deletion by name would hit the new object."""
    found = {each.name: each.delete_before_replace for each in record_component().recorded}
    assert found["inherits"]
    assert found["west"]
    assert not found["renamed"]


def test_each_object_has_the_hook_of_its_cluster() -> None:
    """It runs in previews as well."""
    hooks = {found.name: found.hooks_before_update for found in record_component().recorded}
    assert hooks["inherits"] == hooks["east"] == hooks["deep"] == ("east-takeover",)
    assert hooks["west"] == ("west-takeover",)
    assert hooks["random"] == hooks["elsewhere"] == ()


def taken(caplog: pytest.LogCaptureFixture, live: dict[str, Any], manifest: dict[str, Any]) -> str:
    """Return what the hook of cluster east logs before an update."""

    def body() -> None:
        options = cluster_objects.object_options("east", "uid")
        assert options.hooks is not None
        assert options.hooks.before_update is not None
        (hook,) = options.hooks.before_update
        assert isinstance(hook, ResourceHook)
        assert hook.opts is not None
        assert hook.opts.on_dry_run
        hook(ResourceHookArgs(urn="", id="", name="", type="", new_inputs=manifest, old_outputs=live))
        pulumi.export("done", "yes")

    record(body)
    return caplog.text


LIVE = {
    "kind": "VirtualService",
    "metadata": {
        "name": "helloworld",
        "namespace": "sample",
        "managedFields": [{"manager": "rancher", "fieldsV1": {"f:spec": {"f:http": {}}}}],
    },
    "spec": {"http": ["theirs"]},
    "__fieldManager": "pulumi-kubernetes-1",
}


def test_what_is_taken_from_another_manager_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """With the object and the cluster, and without a value."""
    text = taken(caplog, LIVE, {"spec": {"http": ["ours"]}})
    assert "VirtualService sample/helloworld of cluster east: takes spec.http from rancher" in text
    assert "theirs" not in text


def test_nothing_is_said_where_nothing_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    """The same value, or fields of its own."""
    assert "takes" not in taken(caplog, LIVE, {"spec": {"http": ["theirs"]}})
    assert "takes" not in taken(caplog, {**LIVE, "__fieldManager": "rancher"}, {"spec": {"http": ["ours"]}})
