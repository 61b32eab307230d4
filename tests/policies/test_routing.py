"""The rules about routing: routes are complete, equal in every cluster, and lead to subsets that exist."""

from dataclasses import replace
from typing import Any

import pytest

from mesh import routing
from policies.rules import failover_outlier_detection, route_subsets, route_weights, routes_equal
from tests.support.bad_config import ABSENT, Place, put
from tests.support.policies import EAST, UNKNOWN, WEST, Made, Provider, assert_bears_all, judge
from tests.support.recording import DESTINATION_RULE, GATEWAY, VIRTUAL_SERVICE

HOST = "helloworld.sample.svc.cluster.local"
ROUTE: Place = ("spec", "http", 0, "route")
WEIGHT: Place = (*ROUTE, 0, "weight")
SUBSET: Place = (*ROUTE, 0, "destination", "subset")


def routing_object(type_: str, name: str, spec: dict[str, Any], provider: Provider) -> Made:
    """Return one of helloworld's routing objects."""
    return Made(
        type=type_,
        name=f"{provider.name}-{name}",
        inputs={"metadata": {"name": "helloworld", "namespace": "sample"}, "spec": spec},
        provider=provider,
        under="mcsps:index:HelloworldApp",
    )


def route(provider: Provider = EAST) -> Made:
    """Return the VirtualService as the program creates it."""
    spec = routing.virtual_service_spec(gateway="mesh", host=HOST, weights={"v1": 90, "v2": 10})
    return routing_object(VIRTUAL_SERVICE, "route", spec, provider)


def rule(provider: Provider = EAST) -> Made:
    """Return the DestinationRule as the program creates it."""
    return routing_object(DESTINATION_RULE, "rule", routing.destination_rule_spec(("v1", "v2")), provider)


def gateway(provider: Provider) -> Made:
    """Return another Istio object, which makes its cluster a member of the mesh."""
    return routing_object(GATEWAY, "gateway", {}, provider)


def changed(made: Made, place: Place, value: object) -> Made:
    """Return the resource with another value at one place."""
    return replace(made, inputs=put(made.inputs, place, value))


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        (100, "the weights of spec.http[0] are 100, 10 and sum to 110"),
        (0, "the weights of spec.http[0] are 0, 10 and sum to 10"),
        (None, "the weights of spec.http[0] are 0, 10 and sum to 10"),
        (101, "spec.http[0] has the weight 101"),
        (-1, "spec.http[0] has the weight -1"),
        (0.5, "spec.http[0] has the weight 0.5"),
        ("90", "spec.http[0] has the weight '90'"),
        (True, "spec.http[0] has the weight true"),
        ([90], "spec.http[0] has the weight a list of 1"),
        ({}, "spec.http[0] has the weight a mapping of 0"),
        ("9" * 81, "spec.http[0] has the weight a text of 81 characters"),
    ],
)
def test_weights_that_do_not_sum_to_100_are_refused(weight: object, told: str) -> None:
    """A weight that is not a percentage is refused as well."""
    (found,) = judge(route_weights.POLICY, changed(route(), WEIGHT, weight))
    assert f"VirtualService sample/helloworld of cluster east: {told}." in found.message
    assert "To fix it, give each destination of the route a whole number from 0 to 100" in found.message


@pytest.mark.parametrize("protocol", ["http", "tcp", "tls"])
def test_each_route_of_each_protocol_is_judged(protocol: str) -> None:
    """The weights of each route are added up separately."""
    routes = [{"route": [{"weight": 60}, {"weight": 40}]}, {"route": [{"weight": 60}, {"weight": 60}]}]
    (found,) = judge(route_weights.POLICY, changed(route(), ("spec",), {protocol: routes}))
    assert f"spec.{protocol}[1] are 60, 60 and sum to 120" in found.message


def test_one_destination_needs_no_weight() -> None:
    """A weight of a single destination must be 100."""
    assert judge(route_weights.POLICY, changed(route(), ROUTE, [{"destination": {"host": HOST}}])) == []
    assert len(judge(route_weights.POLICY, changed(route(), ROUTE, [{"weight": 50}]))) == 1


def test_several_destinations_without_weights_are_refused() -> None:
    """Istio would send no request to any of them."""
    (found,) = judge(route_weights.POLICY, changed(route(), ROUTE, [{}, {}]))
    assert "are 0, 0 and sum to 0" in found.message


def test_a_redirect_has_no_weights() -> None:
    """A DestinationRule has no weights either."""
    redirect = changed(route(), ("spec", "http"), [{"redirect": {"uri": "/hello"}}])
    assert judge(route_weights.POLICY, redirect, rule()) == []


def test_weights_not_known_yet_may_sum_to_100() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(route_weights.POLICY, route(), refused={"route", "weight"})


@pytest.mark.parametrize(
    ("place", "value", "at"),
    [
        (WEIGHT, 80, "spec.http[0].route[0].weight"),
        (("spec", "hosts"), ["*"], "spec.hosts[0]"),
        (("spec", "hosts"), [HOST, "*"], "spec.hosts"),
        (("spec", "http", 0, "timeout"), "1s", "spec.http[0].timeout"),
        (("spec", "gateways"), ["sample/ingress"], "spec.gateways[0]"),
        (("spec", "exportTo"), ["."], "spec.exportTo[0]"),
        (("spec",), None, "spec"),
        (("spec", "http", 0), "a text", "spec.http[0]"),
    ],
)
def test_a_route_that_differs_from_that_of_another_cluster_is_refused(place: Place, value: object, at: str) -> None:
    """The message names the first field that differs."""
    (found,) = judge(routes_equal.POLICY, route(), changed(route(WEST), place, value))
    assert found.resource == "west-kubernetes-route"
    told = f"VirtualService sample/helloworld of cluster west differs from that of cluster east at {at}."
    assert told in found.message
    assert "To fix it, create it in every cluster with the same spec" in found.message


SPLIT = [
    {"destination": {"host": HOST, "port": {"number": 5000}, "subset": "v2"}, "weight": 10},
    {"destination": {"host": "helloworld", "port": {"number": 5000}, "subset": "v1"}, "weight": 90},
]
V1 = {"host": HOST, "subset": "v1"}


@pytest.mark.parametrize(
    ("place", "one", "other"),
    [
        (("spec", "hosts"), [HOST, "*"], ["*", "helloworld"]),
        (("spec", "gateways"), ["mesh"], ABSENT),
        (("spec", "gateways"), ["mesh", "sample/ingress"], ["sample/ingress", "mesh"]),
        (("spec", "exportTo"), ["*"], []),
        (("spec", "http", 0, "timeout"), None, []),
        (ROUTE, [{"destination": V1, "weight": 100}], [{"destination": V1}]),
        (
            ROUTE,
            [{"destination": V1, "weight": 100}, {"destination": {"host": "other"}, "weight": 0}],
            [{"destination": V1}],
        ),
        (ROUTE, SPLIT, SPLIT[::-1]),
        (ROUTE, SPLIT, [{"destination": {"host": UNKNOWN}}]),
        (
            ("spec", "http", 0, "match"),
            [{"uri": {"exact": "/a"}}, {"port": 1}],
            [{"port": 1}, {"uri": {"exact": "/a"}}],
        ),
    ],
)
def test_routes_that_mean_the_same_are_equal(place: Place, one: object, other: object) -> None:
    """Order, defaults and short names have no effect."""
    assert judge(routes_equal.POLICY, changed(route(), place, one), changed(route(WEST), place, other)) == []


def test_the_order_of_routes_has_an_effect() -> None:
    """Istio uses the first route that matches."""
    rules = [{"match": [{"port": 1}], "route": [{"destination": V1}]}, {"redirect": {"uri": "/hello"}}]
    other = changed(route(WEST), ("spec", "http"), rules[::-1])
    (found,) = judge(routes_equal.POLICY, changed(route(), ("spec", "http"), rules), other)
    assert "differs from that of cluster east at spec.http[0]" in found.message


def test_other_teams_route_in_each_cluster_as_they_like() -> None:
    """The policy config can add their namespaces to the rule."""
    theirs = replace(route(), name="theirs", under="")
    of_west = replace(changed(route(WEST), WEIGHT, 80), name="theirs-in-west", under="")
    only_here = changed(replace(theirs, name="here"), ("metadata", "name"), "here")
    assert judge(routes_equal.POLICY, gateway(EAST), gateway(WEST), theirs, of_west, only_here) == []
    found = judge(routes_equal.POLICY, theirs, of_west, only_here, namespaces=["sample"])
    assert {it.resource for it in found} == {"theirs-in-west", "here"}


@pytest.mark.parametrize(
    ("place", "value", "at"),
    [
        (("spec", "subsets", 0, "labels"), {"version": "v2"}, "spec.subsets[0].labels.version"),
        (("spec", "subsets"), [{"name": "v1"}], "spec.subsets"),
        (("spec", "trafficPolicy"), {"outlierDetection": {}}, "spec.trafficPolicy"),
    ],
)
def test_a_rule_that_differs_from_that_of_another_cluster_is_refused(place: Place, value: object, at: str) -> None:
    """A DestinationRule decides where the requests of the cluster's own clients go."""
    (found,) = judge(routes_equal.POLICY, route(), route(WEST), rule(), changed(rule(WEST), place, value))
    assert found.resource == "west-kubernetes-rule"
    told = f"DestinationRule sample/helloworld of cluster west differs from that of cluster east at {at}."
    assert told in found.message


def test_a_rule_that_a_cluster_of_the_mesh_lacks_is_refused() -> None:
    """A VirtualService of the same name does not replace the DestinationRule."""
    (found,) = judge(routes_equal.POLICY, route(), route(WEST), rule())
    assert found.resource == "east-kubernetes-rule"
    assert "DestinationRule sample/helloworld of cluster east is missing in cluster west." in found.message


def test_a_name_not_known_yet_may_be_that_of_the_missing_one() -> None:
    """An unknown name counts for the same kind only: a VirtualService is no DestinationRule."""
    somewhere = changed(route(WEST), ("metadata", "name"), UNKNOWN)
    assert judge(routes_equal.POLICY, route(), somewhere) == []
    (found,) = judge(routes_equal.POLICY, route(), somewhere, rule())
    assert "DestinationRule sample/helloworld of cluster east is missing in cluster west." in found.message


def test_a_route_that_a_cluster_of_the_mesh_lacks_is_refused() -> None:
    """The requests of that cluster's clients would be routed differently."""
    (found,) = judge(routes_equal.POLICY, route(), gateway(EAST), gateway(WEST))
    assert found.resource == "east-kubernetes-route"
    assert "VirtualService sample/helloworld of cluster east is missing in cluster west." in found.message


def test_a_cluster_without_istio_lacks_nothing() -> None:
    """Such a cluster is not a member of the mesh."""
    namespace = Made(type="kubernetes:core/v1:Namespace", provider=WEST)
    assert judge(routes_equal.POLICY, route(), namespace) == []


def test_a_route_whose_cluster_is_not_known_yet_is_left_alone() -> None:
    """The route may belong to any cluster, including one where it seems to be missing."""
    nowhere = replace(WEST, inputs={"clusterIdentifier": UNKNOWN})
    assert judge(routes_equal.POLICY, route(), changed(route(nowhere), WEIGHT, 80), gateway(WEST)) == []


def test_routes_not_known_yet_may_be_the_same() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    compared = {
        *("metadata", "name", "namespace", "spec", "gateways", "hosts", "http", "match", "uri", "exact", "route"),
        *("destination", "host", "port", "number", "subset", "weight", "subsets", "labels", "version"),
        "clusterIdentifier",
    }
    assert_bears_all(routes_equal.POLICY, route(), route(WEST), rule(), rule(WEST), refused=compared)


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ((changed(route(), SUBSET, "v3"), rule()), f"subset v3 of {HOST}, whose DestinationRule has only v1, v2"),
        ((route(), changed(rule(), ("spec", "subsets"), [])), f"subset v1 of {HOST}, whose DestinationRule has none"),
        ((route(), changed(rule(), ("spec", "subsets"), "v1")), f"of {HOST}, whose DestinationRule has none"),
        ((route(), changed(rule(), ("spec", "subsets", 0), "v1")), f"of {HOST}, whose DestinationRule has only v2"),
        ((route(), changed(rule(), ("spec", "host"), "other.example")), f"of {HOST}, whose DestinationRule has none"),
        ((route(), changed(rule(), ("spec", "host"), 5)), f"of {HOST}, whose DestinationRule has none"),
        ((route(), rule(WEST)), f"of {HOST}, whose DestinationRule has none"),
        ((route(),), f"of {HOST}, whose DestinationRule has none"),
    ],
    ids=[
        "not one of them",
        "no subsets",
        "subsets of a wrong type",
        "a subset of a wrong type",
        "another host",
        "a host of a wrong type",
        "another cluster",
        "no rule",
    ],
)
def test_a_subset_that_no_rule_defines_is_refused(resources: tuple[Made, ...], told: str) -> None:
    """The message lists the subsets that exist."""
    first, *_ = judge(route_subsets.POLICY, *resources)
    assert first.resource == "east-kubernetes-route"
    assert told in first.message
    assert "To fix it, add the subset to the DestinationRule of that host in that cluster" in first.message


def test_a_mirror_s_subset_is_one_too() -> None:
    """A mirror gets requests as well."""
    mirrored = changed(route(), ("spec", "http", 0, "mirror"), {"host": HOST, "subset": "v3"})
    assert len(judge(route_subsets.POLICY, mirrored, rule())) == 1


@pytest.mark.parametrize("host", ["helloworld", "*.sample.svc.cluster.local", "*"])
def test_a_rule_s_host_may_be_short_or_have_a_wildcard(host: str) -> None:
    """A short host refers to the namespace of the DestinationRule."""
    short = changed(rule(), ("spec", "host"), host)
    assert judge(route_subsets.POLICY, route(), short) == []
    elsewhere = changed(short, ("metadata", "namespace"), "other")
    assert len(judge(route_subsets.POLICY, route(), elsewhere)) == 2


ELSEWHERE = "sends requests from other namespaces to subset v1"
NAMESPACE: Place = ("metadata", "namespace")
EXPORT: Place = ("spec", "exportTo")
GATEWAYS: Place = ("spec", "gateways")


def hosted(host: str, *subsets: str, name: str = "another", namespace: str = "sample") -> Made:
    """Return a DestinationRule of another host."""
    made = replace(rule(), name=name, inputs={"metadata": {"name": name, "namespace": namespace}})
    return changed(made, ("spec",), {"host": host, "subsets": [{"name": subset} for subset in subsets]})


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ((route(), changed(rule(), NAMESPACE, "other")), "to subset v1 of"),
        ((route(), changed(rule(), EXPORT, ["."])), ELSEWHERE),
        ((route(), changed(rule(), EXPORT, ["sample"])), ELSEWHERE),
        ((changed(route(), EXPORT, [".", "shop"]), changed(rule(), EXPORT, ["."])), "sends requests from shop to"),
        ((changed(route(), NAMESPACE, "shop"), changed(rule(), NAMESPACE, "shop")), ELSEWHERE),
        ((changed(route(), NAMESPACE, "shop"), changed(rule(), EXPORT, ["."])), "subset v1 of"),
        ((route(), hosted("*.sample.svc.cluster.local", "v1", "v2"), hosted(HOST, "v3", name="exact")), "has only v3"),
        (
            (route(), hosted("*", "v1", "v2"), hosted("*.sample.svc.cluster.local", "v3", name="longer")),
            "has only v3",
        ),
        ((route(), rule(), hosted("*", "v1", namespace="istio-system"), hosted(HOST)), ""),
        ((changed(route(), GATEWAYS, ["shop/ingress", 5]), changed(rule(), NAMESPACE, "other")), "subset v1 of"),
    ],
    ids=[
        "in another namespace",
        "for its own namespace alone",
        "for its own namespace by name",
        "not for a namespace that gets the route",
        "in the namespace of the route alone",
        "not for the namespace of the route",
        "of a wildcard host beside an exact one",
        "of a shorter wildcard beside a longer one",
        "of the same host, merged",
        "of a gateway, in another namespace",
    ],
)
def test_a_subset_is_looked_up_as_a_client_s_proxy_does(resources: tuple[Made, ...], told: str) -> None:
    """The lookup depends on the namespaces, on `exportTo`, and on the most specific host."""
    found = judge(route_subsets.POLICY, *resources)
    assert len(found) == (2 if told else 0)
    assert all(told in it.message for it in found[:1])


@pytest.mark.parametrize(
    "resources",
    [
        (route(), changed(rule(), NAMESPACE, "istio-system")),
        (route(), changed(rule(), EXPORT, ["*"])),
        (route(), changed(rule(), EXPORT, [UNKNOWN])),
        (route(), changed(rule(), EXPORT, UNKNOWN)),
        (changed(route(), EXPORT, ["."]), changed(rule(), EXPORT, ["."])),
        (changed(route(), EXPORT, ["shop"]), changed(rule(), EXPORT, ["shop"])),
        (changed(changed(route(), NAMESPACE, "shop"), EXPORT, ["."]), changed(rule(), NAMESPACE, "shop")),
        (changed(route(), GATEWAYS, ["ingress"]), changed(rule(), EXPORT, ["."])),
        (changed(route(), GATEWAYS, ["other/ingress"]), changed(rule(), NAMESPACE, "other")),
        (
            changed(route(), ("spec", "http"), [{"route": [{"destination": {"host": "api.example", "subset": "v1"}}]}]),
            hosted("api.example", "v1", namespace="egress"),
        ),
    ],
    ids=[
        "in the root namespace",
        "for all namespaces",
        "for a namespace not known yet",
        "for namespaces not known yet",
        "both for their own namespace",
        "both for another namespace",
        "both in the client's namespace",
        "a gateway of the same namespace",
        "a gateway of the rule's namespace",
        "a host that is no Service's",
    ],
)
def test_a_rule_that_the_route_s_clients_find_is_enough(resources: tuple[Made, ...]) -> None:
    """The DestinationRule may be in any namespace where a proxy of the client looks it up."""
    assert judge(route_subsets.POLICY, *resources) == []


def test_a_route_without_a_known_cluster_is_left_alone() -> None:
    """The cluster's DestinationRules are unknown too."""
    assert judge(route_subsets.POLICY, replace(route(), provider=None)) == []


def test_subsets_not_known_yet_may_be_defined() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    read = {"spec", "host", "subset", "subsets", "name", "clusterIdentifier"}
    read |= {"metadata", "namespace"}
    assert_bears_all(route_subsets.POLICY, route(), rule(), refused=read)
    exported = changed(rule(), ("spec", "exportTo"), ["*"])
    assert_bears_all(
        route_subsets.POLICY, changed(route(), ("spec", "exportTo"), ["."]), exported, refused={*read, "exportTo"}
    )
    short = changed(route(), (*ROUTE, 0, "destination", "host"), "helloworld")
    full = changed(rule(), ("spec", "host"), "helloworld")
    assert_bears_all(route_subsets.POLICY, short, full, refused={*read, "metadata", "namespace"})


FAILOVER = {"loadBalancer": {"localityLbSetting": {"failover": [{"from": "east", "to": "west"}]}}}
BY_PRIORITY = {"loadBalancer": {"localityLbSetting": {"failoverPriority": ["topology.istio.io/network"]}}}
DETECTED = {"outlierDetection": {"consecutive5xxErrors": 5}}


def with_policy(policy: object, **spec: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a DestinationRule with a traffic policy."""
    return changed(rule(), ("spec",), {"host": HOST, "trafficPolicy": policy, **spec})


@pytest.mark.parametrize(
    ("made", "place"),
    [
        (with_policy(FAILOVER), "spec.trafficPolicy"),
        (with_policy(BY_PRIORITY), "spec.trafficPolicy"),
        (with_policy({}, subsets=[{"name": "v1", "trafficPolicy": FAILOVER}]), "spec.subsets[0].trafficPolicy"),
        (
            with_policy({**DETECTED, "portLevelSettings": [FAILOVER]}),
            "spec.trafficPolicy.portLevelSettings[0]",
        ),
    ],
    ids=["of the host", "by priority", "of a subset", "of a port, which inherits nothing"],
)
def test_failover_without_outlier_detection_is_refused(made: Made, place: str) -> None:
    """Without outlier detection Istio never fails over."""
    (found,) = judge(failover_outlier_detection.POLICY, made)
    assert f"{place} has failover, and nothing for outlierDetection." in found.message
    assert "To fix it, set outlierDetection in the same trafficPolicy" in found.message


def test_outlier_detection_of_a_wrong_type_is_none() -> None:
    """The message shows the value."""
    (found,) = judge(failover_outlier_detection.POLICY, with_policy({**FAILOVER, "outlierDetection": True}))
    assert "and true for outlierDetection." in found.message


@pytest.mark.parametrize(
    "detection",
    [
        {"consecutive5xxErrors": 0},
        {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 0},
        {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": None, "interval": "1s"},
        {"consecutive5xxErrors": -1},
        {"consecutive5xxErrors": "5"},
        {"consecutive5xxErrors": True},
        {"consecutive5xxErrors": []},
        {"consecutive5xxErrors": 0, "consecutiveLocalOriginFailures": 3},
        {"consecutive5xxErrors": 0, "splitExternalLocalOriginErrors": True, "consecutiveLocalOriginFailures": 0},
    ],
)
def test_outlier_detection_that_counts_nothing_is_refused(detection: dict[str, Any]) -> None:
    """It would never eject an endpoint."""
    for made in (
        with_policy({**FAILOVER, "outlierDetection": detection}),
        with_policy({}, subsets=[{"trafficPolicy": {**BY_PRIORITY, "outlierDetection": detection}}]),
    ):
        (found,) = judge(failover_outlier_detection.POLICY, made)
        assert "trafficPolicy has failover, and an outlierDetection that no error triggers." in found.message
        assert "with consecutive5xxErrors or consecutiveGatewayErrors above 0" in found.message


@pytest.mark.parametrize(
    "detection",
    [
        {"interval": "1s"},
        {"consecutive5xxErrors": None},
        {"consecutive5xxErrors": 1},
        {"consecutive5xxErrors": UNKNOWN},
        {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 1},
        {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": UNKNOWN},
        {"consecutiveGatewayErrors": 0},
        {"consecutive5xxErrors": 0, "splitExternalLocalOriginErrors": True},
        {"consecutive5xxErrors": 0, "splitExternalLocalOriginErrors": True, "consecutiveLocalOriginFailures": 3},
        {"consecutive5xxErrors": 0, "splitExternalLocalOriginErrors": UNKNOWN},
    ],
)
def test_outlier_detection_that_counts_something_is_enough(detection: dict[str, Any]) -> None:
    """It may count errors of any kind, of gateways only, or of the connection. By default it counts 5 errors."""
    assert judge(failover_outlier_detection.POLICY, with_policy({**FAILOVER, "outlierDetection": detection})) == []


@pytest.mark.parametrize(
    "made",
    [
        with_policy({**FAILOVER, "outlierDetection": {}}),
        with_policy({"loadBalancer": {"localityLbSetting": {"failover": []}}}),
        with_policy({"loadBalancer": {"localityLbSetting": {"distribute": [{"from": "east", "to": {"west": 100}}]}}}),
        with_policy(None),
        route(),
    ],
    ids=["with its defaults", "no failover", "distribution", "no policy", "no rule"],
)
def test_what_does_not_fail_over_needs_none(made: Made) -> None:
    """Outlier detection with its defaults is enough."""
    assert judge(failover_outlier_detection.POLICY, made) == []


@pytest.mark.parametrize("enabled", [False, UNKNOWN])
def test_failover_that_is_switched_off_needs_none(enabled: object) -> None:
    """Failover that may be off passes as well."""
    setting = {"enabled": enabled, "failover": [{"from": "east", "to": "west"}]}
    assert judge(failover_outlier_detection.POLICY, with_policy({"loadBalancer": {"localityLbSetting": setting}})) == []


def test_a_subset_that_switches_detection_off_and_inherits_failover_is_refused() -> None:
    """In Istio a subset can replace only one of these settings."""
    off = {"outlierDetection": {"consecutive5xxErrors": 0}}
    subsets = [{"name": "v1"}, {"name": "v2", "trafficPolicy": off}]
    (found,) = judge(failover_outlier_detection.POLICY, with_policy({**FAILOVER, **DETECTED}, subsets=subsets))
    assert "spec.subsets[1].trafficPolicy, which inherits spec.trafficPolicy, has failover, and an" in found.message
    own = [{"name": "v2", "trafficPolicy": {**off, "loadBalancer": {"simple": "RANDOM"}}}]
    assert judge(failover_outlier_detection.POLICY, with_policy({**FAILOVER, **DETECTED}, subsets=own)) == []


def test_outlier_detection_not_known_yet_may_be_there() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    ports = {"portLevelSettings": [{**FAILOVER, **DETECTED}]}
    subsets = [
        {"name": "v1", "trafficPolicy": FAILOVER},
        {"name": "v2", "trafficPolicy": {**FAILOVER, **DETECTED, **ports}},
    ]
    detected = with_policy({**FAILOVER, **DETECTED}, subsets=subsets)
    read = {"trafficPolicy", "outlierDetection", "consecutive5xxErrors"}
    assert_bears_all(failover_outlier_detection.POLICY, detected, refused=read)
