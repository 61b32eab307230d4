"""Differences between clusters, and the clusters that are named."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.verify.differences import Surface, differences, surface

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab", max_size=2), below, max_size=3),
)
OBJECTS = st.dictionaries(st.sampled_from(["Service a", "Gateway b"]), JSON)


def manifest(kind: str, name: str = "helloworld", namespace: str | None = "sample", **more: object) -> dict[str, Any]:
    """Return an object as the Kubernetes API returns it."""
    placed = {"namespace": namespace} if namespace else {}
    return {"kind": kind, "metadata": {"name": name, **placed}, **more}


def said(*surfaces: Surface) -> list[str]:
    """Return the reported differences of clusters a, b and so on."""
    return list(map(str, differences(dict(zip("abcd", surfaces, strict=False)))))


def test_what_must_be_equal_is_taken_from_objects_and_nothing_else() -> None:
    """Addresses, selectors, annotations and objects of other namespaces may differ between clusters."""
    port = {"name": "http", "port": 5000, "targetPort": 5000, "nodePort": 30000}
    spec = {"hosts": ["*"]}
    labels = {"istio-injection": "enabled", "topology.istio.io/network": "network-east"}
    namespace = {"kind": "Namespace", "metadata": {"name": "sample", "labels": labels}}
    assert surface(
        [
            namespace,
            manifest("Namespace", "istio-system", None),
            manifest("Service", spec={"clusterIP": "10.0.0.1", "ports": [port]}),
            manifest("Service", "elsewhere", "istio-system", spec={}),
            manifest("Deployment", spec={}),
            manifest("Gateway", spec=spec),
            manifest("DestinationRule", spec=spec),
            manifest("VirtualService", spec=spec),
        ]
    ) == {
        "Namespace sample": {"istio-injection": "enabled"},
        "Service sample/helloworld": {"ports": {"http": {"port": 5000, "protocol": "TCP", "appProtocol": None}}},
        "Gateway sample/helloworld": {"spec": spec},
        "DestinationRule sample/helloworld": {"spec": spec},
        "VirtualService sample/helloworld": {"spec": spec},
    }


def test_a_namespace_without_labels_is_one_without_injection() -> None:
    """A Service without ports is valid as well."""
    bare = {"kind": "Namespace", "metadata": {"name": "sample"}}
    found = surface([bare, manifest("Service", spec={})])
    assert found == {"Namespace sample": {"istio-injection": None}, "Service sample/helloworld": {"ports": {}}}


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (
            {"o": {"a": [{"b": 1}]}},
            {"o": {"a": [{"b": 2}]}},
            ["o a[0].b is 1 in a, 2 in b", "o a[0].b is 2 in b, 1 in a"],
        ),
        ({"o": {}}, {}, ["o is there in a, missing in b", "o is missing in b, there in a"]),
        ({"o": [1]}, {"o": []}, ["o is a list of 1 in a, a list of 0 in b", "o is a list of 0 in b, a list of 1 in a"]),
        ({"o": {"x": None}}, {"o": {}}, ["o x is null in a, missing in b", "o x is missing in b, null in a"]),
        ({"o": True}, {"o": 1}, ["o is true in a, 1 in b", "o is 1 in b, true in a"]),
    ],
)
def test_a_difference_names_object_field_and_values(one: Surface, other: Surface, told: list[str]) -> None:
    """It is unknown which of the two clusters is right, so both are named."""
    assert said(one, other) == told


def test_of_three_clusters_the_odd_one_is_named() -> None:
    """If no majority agrees, all clusters are named."""
    assert said({"o": 1}, {"o": 2}, {"o": 1}) == ["o is 2 in b, 1 in a, 1 in c"]
    assert len(said({"o": 1}, {"o": 2}, {"o": 3})) == 3
    assert len(said({"o": 1}, {"o": 2}, {"o": 1}, {"o": 2})) == 4


def test_every_difference_is_told_each_by_itself() -> None:
    """A difference hides all differences below its own path."""
    told = said({"o": {"a": 1, "b": {"c": 1}}}, {"o": {"a": 2}}, {"o": {"a": 1, "b": {"c": 1}}})
    assert told == ["o a is 2 in b, 1 in a, 1 in c", "o b is missing in b, there in a, there in c"]


@given(one=OBJECTS, other=OBJECTS)
def test_clusters_are_equal_where_no_difference_is_told_and_nowhere_else(
    one: Mapping[str, object], other: Mapping[str, object]
) -> None:
    """This holds for any objects. In JSON, true differs from 1."""
    assert bool(differences({"a": one, "b": other})) == (repr(sorted_all(one)) != repr(sorted_all(other)))
    assert differences({"a": one, "b": one, "c": one}) == ()
    assert differences({"a": one}) == ()


def sorted_all(value: object) -> object:
    """Return the same value with its keys in order."""
    if isinstance(value, Mapping):
        return {key: sorted_all(value[key]) for key in sorted(value)}
    return list(map(sorted_all, value)) if isinstance(value, list) else value
