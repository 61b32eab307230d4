"""The dependencies of the resources in a state."""

from typing import Any

from bench.resource_graph import ResourceGraph

STACK = "urn:pulumi:lab::mcsps::pulumi:pulumi:Stack::mcsps-lab"


def resource(urn: str, *, parent: str = STACK, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - as in a state
    """Return a resource of a state that is not a component."""
    return {"urn": urn, "type": urn.split("::")[-2], "custom": True, "parent": parent, **values}


def component(urn: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - as in a state
    """Return a component of a state."""
    return resource(urn, **values) | {"custom": False}


def graph(*resources: dict[str, Any]) -> ResourceGraph:
    """Return the graph of resources of a stack."""
    stack = {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False}
    return ResourceGraph([stack, *resources])


def test_a_resource_waits_for_its_dependencies_and_its_provider() -> None:
    """The state refers to a provider by URN and id."""
    found = graph(
        resource("p::k8s"), resource("t::a"), resource("t::b", dependencies=["t::a"], provider="p::k8s::1f-2e")
    )
    assert found.waits_for("t::b") == {"t::a", "p::k8s"}


def test_a_default_provider_is_not_waited_for() -> None:
    """The engine creates it during the registration of the first resource that needs it."""
    default = {"urn": "p::default", "type": "p", "custom": True}
    assert graph(default, resource("t::a", provider="p::default::1f-2e")).waits_for("t::a") == set()


def test_a_component_as_a_dependency_stands_for_all_resources_in_it() -> None:
    """The resources of nested components are included."""
    found = graph(
        component("c::outer"),
        component("c::inner", parent="c::outer"),
        resource("t::a", parent="c::outer"),
        resource("t::b", parent="c::inner"),
        resource("t::user", dependencies=["c::outer"]),
    )
    assert found.waits_for("t::user") == {"t::a", "t::b"}


def test_a_resource_in_a_component_waits_for_the_dependencies_of_the_component() -> None:
    """It is registered after its parent; it does not wait for the other resources in it."""
    found = graph(
        resource("t::before"),
        component("c::outer", dependencies=["t::before"]),
        component("c::inner", parent="c::outer"),
        resource("t::a", parent="c::inner"),
        resource("t::b", parent="c::inner"),
    )
    assert found.waits_for("t::a") == {"t::before"}


def test_a_resource_waits_for_a_parent_that_is_not_a_component() -> None:
    """Such a parent has a step of its own."""
    assert graph(resource("t::a"), resource("t::b", parent="t::a")).waits_for("t::b") == {"t::a"}


def test_the_group_is_the_outermost_component() -> None:
    """The stack is a group of no resource, and a deleted resource has none."""
    found = graph(component("c::outer"), component("c::inner", parent="c::outer"), resource("t::a", parent="c::inner"))
    assert [found.group(urn) for urn in ("t::a", "c::outer", "t::deleted")] == ["outer", "", ""]
    assert found.waits_for("t::deleted") == set()
    assert len(found) == 4
