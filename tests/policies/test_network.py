"""What is reachable is reachable for those who need it."""

from dataclasses import replace
from typing import Any

import pytest

from policies.rules import eastwest_source_ranges, namespace_network_policies
from tests.support.bad_config import ABSENT, Place, put
from tests.support.policies import EAST, UNKNOWN, WEST, Made, assert_bears_all, judge
from tests.support.recording import NAMESPACE, SERVICE

EASTWEST = Made(
    type=SERVICE,
    name="east-istio-eastwest",
    inputs={
        "metadata": {"name": "istio-eastwestgateway", "namespace": "istio-system"},
        "spec": {
            "type": "LoadBalancer",
            "ports": [{"name": "tls", "port": 15443}],
            "loadBalancerSourceRanges": ["10.1.0.0/16", "2001:db8::/32"],
        },
    },
)
RANGES: Place = ("spec", "loadBalancerSourceRanges")
ANNOTATIONS: Place = ("metadata", "annotations")
ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
LABELS: Place = ("metadata", "labels")
INJECTED = Made(
    type=NAMESPACE,
    name="east-sample",
    inputs={"metadata": {"name": "sample", "labels": {"istio-injection": "enabled"}}},
)
NETWORK_POLICY = Made(
    type="kubernetes:networking.k8s.io/v1:NetworkPolicy",
    name="east-policy",
    inputs={"metadata": {"name": "helloworld", "namespace": "sample"}, "spec": {"podSelector": {}}},
)


def changed(made: Made, place: Place, value: object) -> Made:
    """The same with another value at one place."""
    return replace(made, inputs=put(made.inputs, place, value))


@pytest.mark.parametrize(
    ("ranges", "shown"),
    [
        (ABSENT, "nothing"),
        (None, "nothing"),
        ([], "nothing"),
        ("10.1.0.0/16", "'10.1.0.0/16'"),
        ({"from": "10.1.0.0/16"}, "a mapping of 1"),
        (5, "5"),
    ],
)
def test_an_eastwest_gateway_without_ranges_is_told_of(ranges: object, shown: str) -> None:
    """With the two ways to mend it."""
    (found,) = judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ranges))
    assert (
        "Service istio-system/istio-eastwestgateway of cluster east is open to the world: it has "
        f"{shown} for loadBalancerSourceRanges."
    ) in found.message
    assert "name the networks of the peers in spec.loadBalancerSourceRanges, or set openToTheWorld" in found.message


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("0.0.0.0/0", "the whole world"),
        ("::/0", "the whole world"),
        ("10.1.0.0/33", "no range of addresses"),
        ("10.1.0.1/16", "no range of addresses"),
        ("", "no range of addresses"),
        (5, "no range of addresses"),
        (None, "no range of addresses"),
        ({}, "no range of addresses"),
    ],
)
def test_each_range_is_one_of_some_addresses(text: Any, fault: str) -> None:  # noqa: ANN401 - JSON data has no narrower type
    """And not of all."""
    (found,) = judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ["10.1.0.0/16", text]))
    assert f"in loadBalancerSourceRanges, which is {fault}." in found.message


def test_an_annotation_does_as_well() -> None:
    """Clouds read it where the field is not there."""
    bare = changed(EASTWEST, RANGES, ABSENT)
    annotated = changed(bare, ANNOTATIONS, {ANNOTATION: "10.1.0.0/16, 10.2.0.0/16"})
    assert judge(eastwest_source_ranges.POLICY, annotated) == []
    (found,) = judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, {ANNOTATION: "0.0.0.0/0"}))
    assert "which is the whole world" in found.message
    assert judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, {ANNOTATION: UNKNOWN})) == []
    assert len(judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, {ANNOTATION: 5}))) == 1


def test_a_policy_config_may_open_it_to_the_world() -> None:
    """Where something else keeps others away."""
    assert judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ABSENT), openToTheWorld=True) == []


def test_an_eastwest_gateway_is_known_by_its_label_too() -> None:
    """Whatever it is called."""
    bare = changed(changed(EASTWEST, RANGES, ABSENT), ("metadata", "name"), "peers")
    assert judge(eastwest_source_ranges.POLICY, bare) == []
    assert len(judge(eastwest_source_ranges.POLICY, changed(bare, LABELS, {"istio": "eastwestgateway"}))) == 1


@pytest.mark.parametrize("type_", ["ClusterIP", "NodePort", UNKNOWN, None, 5])
def test_only_a_load_balancer_is_open(type_: object) -> None:
    """Others are a matter of the cluster's own network."""
    bare = changed(EASTWEST, RANGES, ABSENT)
    assert judge(eastwest_source_ranges.POLICY, changed(bare, ("spec", "type"), type_)) == []


def test_ranges_not_known_yet_may_be_narrow() -> None:
    """And no wrong type stops the rule."""
    assert_bears_all(eastwest_source_ranges.POLICY, EASTWEST)


@pytest.mark.parametrize("labels", [{"istio-injection": "enabled"}, {"istio.io/rev": "canary"}])
@pytest.mark.parametrize(
    "others",
    [
        (),
        (replace(NETWORK_POLICY, provider=WEST),),
        (changed(NETWORK_POLICY, ("metadata", "namespace"), "other"),),
        (changed(NETWORK_POLICY, ("metadata", "namespace"), 5),),
        (replace(NETWORK_POLICY, type=SERVICE),),
    ],
    ids=["none", "in another cluster", "in another namespace", "in a namespace of a wrong type", "another kind"],
)
def test_an_injected_namespace_without_a_network_policy_is_told_of(
    labels: dict[str, str], others: tuple[Made, ...]
) -> None:
    """Each in each cluster."""
    (found,) = judge(namespace_network_policies.POLICY, changed(INJECTED, LABELS, labels), *others)
    assert found.resource == "east-sample"
    assert "Namespace sample of cluster east has injection and no NetworkPolicy." in found.message
    assert "To mend it, make a NetworkPolicy in it that lets in what its pods serve" in found.message


@pytest.mark.parametrize(
    "labels", [{}, None, {"istio-injection": "disabled"}, {"istio.io/rev": ""}, {"istio.io/rev": 5}, "enabled", UNKNOWN]
)
def test_a_namespace_without_injection_needs_none(labels: object) -> None:
    """Nor does one of which it is not known."""
    assert judge(namespace_network_policies.POLICY, changed(INJECTED, LABELS, labels)) == []


def test_a_namespace_whose_cluster_is_not_known_yet_is_left_alone() -> None:
    """It may be that of a NetworkPolicy."""
    nowhere = replace(EAST, inputs={"clusterIdentifier": UNKNOWN})
    assert judge(namespace_network_policies.POLICY, replace(INJECTED, provider=nowhere)) == []


def test_a_network_policy_whose_namespace_is_not_known_yet_may_be_for_any() -> None:
    """And no wrong type stops the rule."""
    assert_bears_all(namespace_network_policies.POLICY, INJECTED, NETWORK_POLICY)
