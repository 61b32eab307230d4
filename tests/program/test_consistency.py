"""The registrations of the program are equal in all clusters where the mesh needs it, even before a cluster exists."""

import pytest

from ops.verify.differences import Surface, differences, surface
from recorder.values import Reference
from tests.support.inventory import plain
from tests.support.recording import RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, in_regions

AUDIENCES = [
    {"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}},
    {"name": "europe", "version": "v1", "region": "eu"},
]
OPERATOR = {"installer": "operator", "version": "1.23.6", "tag": "1.23.6"}
KINDS = {"Namespace", "Service", "Gateway", "DestinationRule", "VirtualService"}


def surfaces(monitor: RecordingMonitor) -> dict[str, Surface]:
    """Return the objects that must be equal in all clusters, by the name of the cluster's provider."""
    objects: dict[str, list[dict[str, object]]] = {}
    for found in monitor.recorded:
        inputs = {key: plain(value) for key, value in found.inputs.items() if not isinstance(value, Reference)}
        if inputs.get("kind") in KINDS:
            provider = str(monitor.provider_name(found)).removesuffix("-crds")
            objects.setdefault(provider, []).append(inputs)
    return {provider: surface(manifests) for provider, manifests in objects.items()}


def test_clusters_get_the_same_where_the_mesh_needs_it(runs: Runs, stack: str) -> None:
    """These are the namespace, the Service and the whole routing."""
    found = surfaces(runs(stack))
    assert len(found) == 2
    for each in found.values():
        assert {place.partition(" ")[0] for place in each} == KINDS
        assert len(each) == len(KINDS) + 1
    assert differences(found) == ()


@pytest.mark.parametrize("regions", [("eu", "us", "us"), ("eu", "eu", "eu")])
def test_audiences_and_failover_are_the_same_too(runs: Runs, regions: tuple[str, ...]) -> None:
    """The regions of the clusters have no influence."""
    stack = in_regions(runs.stack(LAB, names=("east", "west", "north")), *regions).changed(audiences=AUDIENCES)
    found = surfaces(stack.run())
    assert len(found) == 3
    assert differences(found) == ()


def test_clusters_of_the_operator_get_the_same_too(runs: Runs) -> None:
    """The operator's Istio uses an older API version."""
    found = surfaces(runs.stack(LAB).changed(istio=OPERATOR).run())
    assert {len(each) for each in found.values()} == {len(KINDS) + 1}
    assert differences(found) == ()


def test_a_cluster_that_gets_another_weight_is_named(runs: Runs) -> None:
    """Without this, the tests above would prove little."""
    found = surfaces(runs(LAB, names=("east", "west", "north")))
    other = surfaces(runs(LAB, names=("east", "west", "north"), weight=20))
    mixed = {**found, "west-kubernetes": other["west-kubernetes"]}
    told = list(map(str, differences(mixed)))
    assert len(told) == 4
    assert told[1] == (
        "VirtualService sample/helloworld spec.http[0].route[1].weight is 20 in west-kubernetes, "
        "10 in east-kubernetes, 10 in north-kubernetes"
    )
