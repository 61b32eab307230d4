"""The objects of a rebuilt cluster are created again, and no other object is."""

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
from pulumi import ComponentResource, ResourceOptions

from components import same_cluster
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
                provider=east, transformations=[same_cluster.recreate_with({east: "uid of east", west: "uid of west"})]
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
