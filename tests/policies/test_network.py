"""The rules about the network: only those clients reach a Service or a namespace that need it."""

from dataclasses import replace
from typing import Any

import pytest

from policies.rules import eastwest_source_ranges, namespace_network_policies
from tests.support.bad_config import ABSENT, Place, put
from tests.support.policies import EAST, UNKNOWN, WEST, Made, assert_bears_all, judge
from tests.support.recording import DEPLOYMENT, NAMESPACE, SERVICE

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
REST_OF_THE_WORLD = ("12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/3")
RANGES: Place = ("spec", "loadBalancerSourceRanges")
ANNOTATIONS: Place = ("metadata", "annotations")
ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
LABELS: Place = ("metadata", "labels")
SELECTOR: Place = ("spec", "selector")
CILIUM = "kubernetes:cilium.io/v2:CiliumNetworkPolicy"
CILIUM_CLUSTERWIDE = "kubernetes:cilium.io/v2:CiliumClusterwideNetworkPolicy"
CALICO = "kubernetes:projectcalico.org/v3:NetworkPolicy"
CALICO_GLOBAL = "kubernetes:crd.projectcalico.org/v1:GlobalNetworkPolicy"
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
    """Return the resource with another value at one place."""
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
    """The message names both ways to fix it."""
    (found,) = judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ranges))
    assert (
        "Service istio-system/istio-eastwestgateway of cluster east is open to the world: it has "
        f"{shown} for loadBalancerSourceRanges."
    ) in found.message
    assert "list the networks of the peers in spec.loadBalancerSourceRanges, or set openToTheWorld" in found.message


@pytest.mark.parametrize("text", ["10.1.0.0/33", "10.1.0", "10.1.0.0", "10.1.0.0/16 10.2.0.0/16", "", " ", 5, None, {}])
def test_each_range_is_one_of_addresses(text: Any) -> None:  # noqa: ANN401 - JSON data has no narrower type
    """The rule refuses any other value."""
    (found,) = judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ["10.1.0.0/16", text]))
    assert "in loadBalancerSourceRanges, which is not an address range." in found.message


@pytest.mark.parametrize("text", [" 10.0.0.0/8", "10.0.0.0/8\n", "10.1.0.1/16", "0.0.0.0/1", "10.1.0.1/32"])
def test_a_range_may_be_written_as_kubernetes_reads_it(text: str) -> None:
    """A range may have blanks around it, or an address within it instead of its first one."""
    assert judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, [text])) == []


@pytest.mark.parametrize(
    "ranges",
    [
        ["0.0.0.0/0"],
        ["::/0"],
        [" 0.0.0.0/0"],
        ["10.1.0.1/0"],
        ["10.1.0.0/16", "::/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["128.0.0.0/2", "0.0.0.0/1", "2001:db8::/32", "192.0.0.0/2"],
        ["::/1", "8000::/1"],
        ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"],
        ["1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", *REST_OF_THE_WORLD],
        ["2000::/3"],
        ["2000::/4", "3000::/4"],
        ["::ffff:0.0.0.0/96"],
        ["0.0.0.0/1", UNKNOWN, "128.0.0.0/1"],
    ],
)
def test_ranges_leave_something_out(ranges: list[str]) -> None:
    """Ranges of both address families, or all ranges together, must not cover all public addresses."""
    (found,) = judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ranges))
    assert "is open to the world: its loadBalancerSourceRanges cover all public addresses." in found.message


def test_an_annotation_does_as_well() -> None:
    """Clouds read the annotation if the field is missing."""
    bare = changed(EASTWEST, RANGES, ABSENT)
    annotated = changed(bare, ANNOTATIONS, {ANNOTATION: "10.1.0.0/16, 10.2.0.0/16"})
    assert judge(eastwest_source_ranges.POLICY, annotated) == []
    (found,) = judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, {ANNOTATION: "0.0.0.0/0"}))
    assert "cover all public addresses" in found.message
    assert judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, {ANNOTATION: UNKNOWN})) == []
    assert len(judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, {ANNOTATION: 5}))) == 1


@pytest.mark.parametrize(
    "annotation",
    [
        {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"},
        {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"},
        {"networking.gke.io/load-balancer-type": "Internal"},
        {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
    ],
    ids=["AWS", "AWS's controller", "GKE", "Azure"],
)
def test_an_internal_load_balancer_of_a_cloud_is_not_open(annotation: dict[str, str]) -> None:
    """Its address belongs to the private network. The annotation with another value has no effect."""
    bare = changed(EASTWEST, RANGES, ABSENT)
    assert judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, annotation)) == []
    external = dict.fromkeys(annotation, "external")
    assert len(judge(eastwest_source_ranges.POLICY, changed(bare, ANNOTATIONS, external))) == 1


def test_a_policy_config_may_open_it_to_the_world() -> None:
    """The config is for meshes where something else refuses other clients."""
    assert judge(eastwest_source_ranges.POLICY, changed(EASTWEST, RANGES, ABSENT), openToTheWorld=True) == []


@pytest.mark.parametrize("place", [LABELS, SELECTOR], ids=["its label", "its pods"])
def test_an_eastwest_gateway_is_known_by_what_it_is_too(place: Place) -> None:
    """The rule recognizes it by its label or its selector, whatever its name is."""
    bare = changed(changed(EASTWEST, RANGES, ABSENT), ("metadata", "name"), "peers")
    assert judge(eastwest_source_ranges.POLICY, bare) == []
    assert len(judge(eastwest_source_ranges.POLICY, changed(bare, place, {"istio": "eastwestgateway"}))) == 1
    for other in ({"istio": "ingressgateway"}, {"istio": UNKNOWN}, UNKNOWN, {"app": "ingressgateway"}):
        assert judge(eastwest_source_ranges.POLICY, changed(bare, place, other)) == []
    by_another = {"app.kubernetes.io/name": "istio-eastwestgateway"}
    assert len(judge(eastwest_source_ranges.POLICY, changed(bare, place, by_another))) == 1


@pytest.mark.parametrize("type_", ["ClusterIP", "NodePort", UNKNOWN, None, 5])
def test_only_a_load_balancer_is_open(type_: object) -> None:
    """Services of other types are not reachable from outside the cluster's network."""
    bare = changed(EASTWEST, RANGES, ABSENT)
    assert judge(eastwest_source_ranges.POLICY, changed(bare, ("spec", "type"), type_)) == []


def test_ranges_not_known_yet_may_be_narrow() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(eastwest_source_ranges.POLICY, EASTWEST, refused={"loadBalancerSourceRanges"})


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
    """The rule reports each namespace of each cluster."""
    (found,) = judge(namespace_network_policies.POLICY, changed(INJECTED, LABELS, labels), *others)
    assert found.resource == "east-sample"
    assert (
        "Namespace sample of cluster east has injection and no NetworkPolicy that limits who connects to its pods."
        in found.message
    )
    assert "To fix it, create a NetworkPolicy in it that admits its pods' clients" in found.message


@pytest.mark.parametrize(
    "labels", [{}, None, {"istio-injection": "disabled"}, {"istio.io/rev": ""}, {"istio.io/rev": 5}, "enabled", UNKNOWN]
)
def test_a_namespace_without_injection_needs_none(labels: object) -> None:
    """A namespace whose injection is not known yet passes as well."""
    assert judge(namespace_network_policies.POLICY, changed(INJECTED, LABELS, labels)) == []


def test_a_namespace_whose_cluster_is_not_known_yet_is_left_alone() -> None:
    """A NetworkPolicy may belong to the same cluster."""
    nowhere = replace(EAST, inputs={"clusterIdentifier": UNKNOWN})
    assert judge(namespace_network_policies.POLICY, replace(INJECTED, provider=nowhere)) == []


WORKLOAD = Made(
    type=DEPLOYMENT,
    name="east-app",
    inputs={
        "metadata": {"name": "app", "namespace": "sample"},
        "spec": {"template": {"metadata": {"labels": {"app": "helloworld", "version": "v1"}}}},
    },
)
POD = Made(
    type="kubernetes:core/v1:Pod",
    inputs={"metadata": {"name": "pod", "namespace": "sample", "labels": {"app": "tools"}}},
)


def network_policy(**spec: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a NetworkPolicy with another specification."""
    return changed(NETWORK_POLICY, ("spec",), {"podSelector": {}, **spec})


def by_expression(key: str, operator: str, *values: object) -> Made:
    """Return a NetworkPolicy for the pods that one expression selects."""
    expression = {"key": key, "operator": operator, "values": list(values)}
    return network_policy(podSelector={"matchExpressions": [expression]})


@pytest.mark.parametrize(
    "made",
    [
        network_policy(podSelector={"matchLabels": {"app": "gone"}}),
        by_expression("app", "In", "gone", "away"),
        by_expression("app", "NotIn", "helloworld", "tools"),
        by_expression("team", "Exists"),
        by_expression("app", "DoesNotExist"),
        network_policy(ingress=[{}]),
        network_policy(ingress=[{"from": [], "ports": []}]),
        network_policy(ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
        network_policy(policyTypes=["Egress"], egress=[{}]),
        replace(NETWORK_POLICY, type=CILIUM, inputs={**NETWORK_POLICY.inputs, "spec": {"egress": []}}),
        replace(NETWORK_POLICY, type=CALICO, inputs={**NETWORK_POLICY.inputs, "spec": {"types": ["Egress"]}}),
    ],
    ids=[
        "selects no pod",
        "selects other values",
        "selects all but these",
        "selects another label",
        "selects by a missing label",
        "allows everything",
        "allows everything in empty lists",
        "allows every address",
        "for egress alone",
        "Cilium's for egress alone",
        "Calico's for egress alone",
    ],
)
def test_a_network_policy_that_limits_nothing_is_none(made: Made) -> None:
    """The policy selects no pod, allows every client, or is for egress only."""
    (found,) = judge(namespace_network_policies.POLICY, INJECTED, WORKLOAD, POD, made)
    assert found.resource == "east-sample"


@pytest.mark.parametrize(
    "made",
    [
        network_policy(podSelector={"matchLabels": {"app": "helloworld"}}),
        network_policy(podSelector={"matchLabels": {"app": UNKNOWN}}),
        by_expression("version", "In", "v1"),
        by_expression("version", "NotIn", "v2"),
        by_expression("app", "Exists"),
        by_expression("team", "DoesNotExist"),
        by_expression("app", "In", UNKNOWN),
        by_expression("app", "Like", "hello"),
        network_policy(podSelector={"matchExpressions": [UNKNOWN]}),
        network_policy(ingress=[]),
        network_policy(ingress=[{"ports": [{"port": 5000}]}]),
        network_policy(ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}]),
        network_policy(ingress=[{"from": [{"podSelector": {}}]}]),
        network_policy(policyTypes=["Egress", "Ingress"]),
        network_policy(policyTypes=[UNKNOWN]),
        replace(NETWORK_POLICY, type=CILIUM, inputs={**NETWORK_POLICY.inputs, "spec": {"ingress": []}}),
        replace(NETWORK_POLICY, type=CILIUM, inputs={**NETWORK_POLICY.inputs, "spec": UNKNOWN}),
        Made(type=CILIUM_CLUSTERWIDE, inputs={"specs": [{"ingressDeny": [{}]}]}),
        replace(NETWORK_POLICY, type=CALICO),
        Made(type=CALICO_GLOBAL, inputs={"spec": {"selector": "all()"}}),
    ],
)
def test_a_network_policy_that_limits_clients_is_enough(made: Made) -> None:
    """It may be of Kubernetes or of a CNI, and for the namespace or for the cluster."""
    assert judge(namespace_network_policies.POLICY, INJECTED, WORKLOAD, made) == []
    elsewhere = replace(made, provider=WEST)
    assert len(judge(namespace_network_policies.POLICY, INJECTED, WORKLOAD, elsewhere)) == 1


def test_pods_whose_labels_are_not_known_yet_may_be_selected() -> None:
    """The stack has no other pods."""
    unlabelled = changed(WORKLOAD, ("spec", "template", "metadata", "labels"), UNKNOWN)
    made = network_policy(podSelector={"matchLabels": {"app": "helloworld"}})
    assert judge(namespace_network_policies.POLICY, INJECTED, unlabelled, made) == []


def test_a_network_policy_whose_namespace_is_not_known_yet_may_be_for_any() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(
        namespace_network_policies.POLICY,
        INJECTED,
        NETWORK_POLICY,
        refused={"metadata", "name", "namespace", "clusterIdentifier"},
    )
