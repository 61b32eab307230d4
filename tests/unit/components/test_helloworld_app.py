"""HelloworldApp: the versions of one cluster, and the routing that all share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import ServiceAccount

from components import HelloworldApp, HelloworldAppArgs, Readiness
from mesh import routing
from tests.support import recording
from tests.support.components import kinds, kubernetes_provider
from tests.support.recording import RecordingMonitor, record

HOST = "helloworld.sample.svc.cluster.local"
BOTH = {"v1": "hub.example/helloworld:1", "v2": "hub.example/helloworld:2"}
REQUESTS = {"cpu": "50m", "memory": "64Mi"}
LIMITS = {"cpu": "200m", "memory": "128Mi"}
TEAM = routing.Audience(name="team", version="v2", header="x-team", header_match={"exact": "test"}, clusters=())
EUROPE = routing.Audience(name="europe", version="v1", header=None, header_match={}, clusters=("east", "west"))
TEAM_IN_EUROPE = routing.Audience(
    name="team-in-europe", version="v2", header="x-team", header_match={"prefix": "t"}, clusters=("east",)
)
FAILOVER = routing.Failover(
    consecutive_gateway_errors=4,
    interval_seconds=6,
    base_ejection_seconds=31,
    max_ejection_percent=99,
    connect_timeout_seconds=3,
    retry_attempts=5,
    per_try_timeout_seconds=7,
    order={"eu": "us", "us": "eu"},
)
PATH = {"uri": {"exact": "/hello"}}


def to(version: str) -> dict[str, object]:
    """Return the destination of the requests for a version."""
    return {"host": HOST, "port": {"number": 5000}, "subset": version}


def routes(monitor: RecordingMonitor) -> list[dict[str, Any]]:
    """Return the HTTP routes, which both VirtualServices share."""
    ingress, mesh = (found.inputs["spec"]["http"] for found in monitor.find_all(recording.VIRTUAL_SERVICE))
    assert ingress == mesh
    return list(ingress)


def record_app(  # noqa: PLR0913 - one for each thing that a test may choose
    *,
    preview: bool = False,
    images: Mapping[str, str] = BOTH,
    v2_weight: int = 10,
    audiences: Sequence[routing.Audience] = (),
    failover: routing.Failover | None = None,
    locality: str | None = None,
    networking_api: str = "networking.istio.io/v1",
    drain_seconds: int = 7,
) -> RecordingMonitor:
    """Record the application on one cluster."""

    def body() -> None:
        args = HelloworldAppArgs(
            cluster_name="east",
            images=images,
            weights={"v1": 100 - v2_weight, "v2": v2_weight},
            audiences=audiences,
            failover=failover,
            locality=locality,
            replicas=3,
            requests=REQUESTS,
            limits=LIMITS,
            drain_seconds=drain_seconds,
            timeout_seconds=123,
            networking_api=networking_api,
            istio=Readiness(injects=[ServiceAccount("injector")], accepts=[ServiceAccount("checker")]),
        )
        HelloworldApp("east-helloworld", args, ResourceOptions(provider=kubernetes_provider("east")))

    return record(body, preview=preview)


@pytest.mark.parametrize("versions", [(), ("v1",), ("v2",), ("v1", "v2")])
def test_a_cluster_runs_its_versions_and_has_all_of_the_routing(versions: tuple[str, ...], *, preview: bool) -> None:
    """A cluster without versions has the routing as well, and routes to its peers."""
    monitor = record_app(preview=preview, images={version: BOTH[version] for version in versions})
    component = monitor.find("mcsps:index:HelloworldApp", "east-helloworld")
    children = monitor.children(component)
    assert kinds(children) == sorted(
        ["Service", "Gateway", "DestinationRule", "VirtualService", "VirtualService"] + ["Deployment"] * len(versions)
    )
    assert {found.name for found in monitor.find_all(recording.DEPLOYMENT)} == {
        f"east-helloworld-{version}" for version in versions
    }
    assert {monitor.provider_name(found) for found in children} == {"east-kubernetes"}
    assert {found.inputs["metadata"]["namespace"] for found in children} == {"sample"}
    assert component.inputs == {"clusterName": "east"}


def test_the_service_finds_every_version() -> None:
    """The port's name declares the protocol. Pulumi does not wait for endpoints, which a cluster may not have."""
    inputs = record_app().find(recording.SERVICE).inputs
    assert inputs["metadata"]["name"] == "helloworld"
    assert inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert inputs["spec"] == {
        "selector": {"app": "helloworld"},
        "ports": [{"name": "http", "port": 5000, "targetPort": 5000}],
    }


@pytest.mark.parametrize("version", BOTH)
def test_a_deployment_runs_the_image_of_its_version(version: str) -> None:
    """The pods have the labels that the Service and the subsets select."""
    inputs = record_app().find(recording.DEPLOYMENT, f"east-helloworld-{version}").inputs
    labels = {"app": "helloworld", "version": version}
    assert inputs["metadata"]["name"] == f"helloworld-{version}"
    assert inputs["metadata"]["annotations"] == {"pulumi.com/timeoutSeconds": "123"}
    spec = inputs["spec"]
    assert spec["replicas"] == 3
    assert spec["selector"] == {"matchLabels": labels}
    assert spec["template"]["metadata"] == {"labels": labels}
    (container,) = spec["template"]["spec"]["containers"]
    assert container["image"] == BOTH[version]
    assert container["env"] == [{"name": "SERVICE_VERSION", "value": version}]
    assert container["ports"] == [{"name": "http", "containerPort": 5000}]
    assert container["readinessProbe"] == {"httpGet": {"path": "/health", "port": 5000}}
    assert container["resources"] == {"requests": REQUESTS, "limits": LIMITS}


@pytest.mark.parametrize(("drain_seconds", "lifecycle"), [(7, {"preStop": {"sleep": {"seconds": 7}}}), (0, None)])
def test_a_pod_that_is_to_end_answers_until_nobody_asks_it(
    drain_seconds: int, lifecycle: Mapping[str, object] | None
) -> None:
    """The pod has a preStop hook if its Kubernetes supports one that waits."""
    for found in record_app(drain_seconds=drain_seconds).find_all(recording.DEPLOYMENT):
        (container,) = found.inputs["spec"]["template"]["spec"]["containers"]
        assert container.get("lifecycle") == lifecycle


def test_pods_meet_the_restricted_standard() -> None:
    """They meet the Pod Security Standard `restricted`, have no token, and can write only to a small `/tmp`."""
    for found in record_app().find_all(recording.DEPLOYMENT):
        pod = found.inputs["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["runAsGroup"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert pod["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}]
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - the pod's own


def test_the_gateway_listens_on_the_ingress_for_any_host() -> None:
    """It listens for plain HTTP on port 80."""
    inputs = record_app().find(recording.GATEWAY).inputs
    assert inputs["apiVersion"] == "networking.istio.io/v1"
    assert inputs["metadata"]["name"] == "helloworld-gateway"
    assert inputs["spec"] == {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    }


def test_routing_is_of_the_api_that_istio_serves() -> None:
    """All objects have the given API version, because an older Istio has no v1."""
    monitor = record_app(networking_api="networking.istio.io/v1beta1")
    found = [each.inputs for each in monitor.recorded if ".istio.io/" in each.inputs.get("apiVersion", "")]
    assert sorted(each["kind"] for each in found) == ["DestinationRule", "Gateway", "VirtualService", "VirtualService"]
    assert {each["apiVersion"] for each in found} == {"networking.istio.io/v1beta1"}


def test_the_rule_defines_both_subsets_whatever_runs_here() -> None:
    """A version may run only in a peer."""
    for images in ({}, {"v1": "x"}):
        inputs = record_app(images=images).find(recording.DESTINATION_RULE).inputs
        assert inputs["metadata"]["name"] == "helloworld"
        assert inputs["spec"] == {
            "host": HOST,
            "subsets": [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")],
        }


@pytest.mark.parametrize(
    ("name", "physical_name", "gateway", "host"),
    [
        ("east-helloworld-route-ingress", "helloworld", "helloworld-gateway", "*"),
        ("east-helloworld-route-mesh", "helloworld-mesh", "mesh", HOST),
    ],
)
def test_ingress_and_sidecars_route_by_the_same_weights(name: str, physical_name: str, gateway: str, host: str) -> None:
    """The host is the complete name, so the route means the same in any namespace."""
    monitor = record_app(v2_weight=25)
    found = monitor.find(recording.VIRTUAL_SERVICE, name)
    assert found.inputs["metadata"]["name"] == physical_name
    spec = found.inputs["spec"]
    assert (spec["gateways"], spec["hosts"]) == ([gateway], [host])
    (rule,) = spec["http"]
    assert rule["match"] == [{"uri": {"exact": "/hello"}}]
    assert rule["route"] == [
        {"destination": {"host": HOST, "port": {"number": 5000}, "subset": version}, "weight": weight}
        for version, weight in (("v1", 75), ("v2", 25))
    ]
    assert "east-helloworld-destination-rule" in monitor.depends_on(found)


def test_an_audience_gets_its_version_before_the_weight_is_asked() -> None:
    """The audiences keep their order. All other requests follow the weighted route, which stays unchanged."""
    *special, weighted = routes(record_app(audiences=(TEAM, EUROPE)))
    assert special == [
        {
            "name": "team",
            "match": [{**PATH, "headers": {"x-team": {"exact": "test"}}}],
            "route": [{"destination": to("v2")}],
        },
        {
            "name": "europe",
            "match": [{**PATH, "sourceLabels": {"topology.istio.io/cluster": cluster}} for cluster in ("east", "west")],
            "route": [{"destination": to("v1")}],
        },
    ]
    assert [weighted] == routes(record_app())


def test_an_audience_may_be_a_header_within_a_region() -> None:
    """Both conditions are in one match, so a request must meet both."""
    special, _ = routes(record_app(audiences=(TEAM_IN_EUROPE,)))
    assert special["match"] == [
        {**PATH, "headers": {"x-team": {"prefix": "t"}}, "sourceLabels": {"topology.istio.io/cluster": "east"}}
    ]


def test_failover_prefers_the_own_cluster_and_gives_up_what_is_dead() -> None:
    """The policy applies to every subset equally. Subsets, and therefore weights, are chosen before it applies."""
    spec = record_app(failover=FAILOVER).find(recording.DESTINATION_RULE).inputs["spec"]
    policy = spec.pop("trafficPolicy")
    assert spec == record_app().find(recording.DESTINATION_RULE).inputs["spec"]
    assert policy == {
        "connectionPool": {"tcp": {"connectTimeout": "3s"}},
        "loadBalancer": {
            "localityLbSetting": {
                "enabled": True,
                "failoverPriority": ["topology.istio.io/cluster"],
                "failover": [{"from": "eu", "to": "us"}, {"from": "us", "to": "eu"}],
            }
        },
        "outlierDetection": {
            "consecutiveGatewayErrors": 4,
            "consecutive5xxErrors": 0,
            "interval": "6s",
            "baseEjectionTime": "31s",
            "maxEjectionPercent": 99,
            "minHealthPercent": 1,
        },
    }


def test_failover_tries_every_request_again_and_elsewhere() -> None:
    """The requests of an audience are retried as well."""
    assert [route["retries"] for route in routes(record_app(failover=FAILOVER, audiences=(TEAM,)))] == [
        {
            "attempts": 5,
            "perTryTimeout": "7s",
            "retryOn": "connect-failure,refused-stream,gateway-error",
            "retryRemoteLocalities": True,
        }
    ] * 2


def test_requests_that_must_not_be_repeated_are_not() -> None:
    """Without an explicit 0, Istio would apply its default retries."""
    failover = replace(FAILOVER, retry_attempts=0)
    assert [route["retries"] for route in routes(record_app(failover=failover))] == [{"attempts": 0}]


def test_pods_say_where_they_are_if_that_is_known() -> None:
    """Only the pods' labels contain the locality, because a Deployment's selector cannot change."""
    for before, after in zip(
        record_app().find_all(recording.DEPLOYMENT),
        record_app(locality="eu.eu-1").find_all(recording.DEPLOYMENT),
        strict=True,
    ):
        labels = after.inputs["spec"]["template"]["metadata"]["labels"]
        assert labels.pop("topology.istio.io/locality") == "eu.eu-1"
        assert before.inputs == after.inputs


def test_pods_come_after_the_injection_and_routing_after_the_webhook_that_checks_it() -> None:
    """Both wait only for the parts of Istio that they need."""
    monitor = record_app()
    for found in monitor.find_all(recording.DEPLOYMENT):
        assert monitor.depends_on(found) == {"injector"}
    for type_ in (recording.GATEWAY, recording.DESTINATION_RULE, recording.VIRTUAL_SERVICE):
        for found in monitor.find_all(type_):
            assert monitor.depends_on(found) - {"east-helloworld-destination-rule"} == {"checker"}
