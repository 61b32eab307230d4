"""IstioInstall with the in-cluster operator: its two resources, their dependencies, and the program's own objects."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi import ResourceOptions

from components import IstioInstall, IstioInstallArgs, OperatorInstallerArgs
from mesh.istio_values import ControlPlane
from recorder.values import Secret, Unknown
from tests.support import recording
from tests.support.components import kinds, kubernetes_provider
from tests.support.leaks import fake_secret, find_leaks
from tests.support.recording import RecordingMonitor, record

CONTROL_PLANE = "control-plane"
EASTWEST = "eastwest"


def record_install(*, preview: bool = False) -> RecordingMonitor:
    """Record Istio on one cluster that differs from all defaults."""

    def body() -> None:
        args = IstioInstallArgs(
            control_plane=ControlPlane(
                cluster_name="east",
                network="network-east",
                mesh_id="mesh-1",
                trust_domain="mesh.example",
                hub="hub.example/istio",
                tag="1.23-test",
                timeout_seconds=123,
            ),
            cacerts=pulumi.Output.secret({"ca-key.pem": fake_secret("key")}),
            networking_api="networking.istio.io/v1beta1",
            installer=OperatorInstallerArgs(),
        )
        install = IstioInstall("east-istio", args, ResourceOptions(provider=kubernetes_provider("east")))
        pulumi.export("ingress", install.ingress_address)
        pulumi.export("eastwest", install.eastwest_address)

    return record(body, preview=preview)


def operators(monitor: RecordingMonitor) -> dict[str, Mapping[str, Any]]:
    """Return the IstioOperator resources by their name in the cluster."""
    return {found.inputs["metadata"]["name"]: found.inputs for found in monitor.find_all(recording.ISTIO_OPERATOR)}


def gateways(monitor: RecordingMonitor) -> dict[str, Mapping[str, Any]]:
    """Return every gateway that the operator must create, by its name."""
    return {
        gateway["name"]: gateway
        for found in operators(monitor).values()
        for kind in ("ingressGateways", "egressGateways")
        for gateway in found["spec"]["components"].get(kind, [])
    }


def test_one_cluster_gets_the_two_resources_and_what_the_operator_does_not_make(*, preview: bool) -> None:
    """All are children of the component, and use the provider that it was given. None of them is a chart."""
    monitor = record_install(preview=preview)
    children = monitor.children(monitor.find("mcsps:index:IstioInstall", "east-istio"))
    expected = 2 * ["IstioOperator"] + 3 * ["Service"] + ["Secret", "Gateway", "ClusterRole", "ClusterRoleBinding"]
    assert kinds(children) == sorted(expected)
    assert {monitor.provider_name(found) for found in children} == {"east-kubernetes"}
    assert {found["metadata"]["namespace"] for found in operators(monitor).values()} == {"istio-system"}


def test_the_control_plane_is_told_mesh_network_cluster_and_images() -> None:
    """They have the values of the original installation. The trust domain is set in addition."""
    spec = operators(record_install())[CONTROL_PLANE]["spec"]
    assert (spec["profile"], spec["hub"], spec["tag"]) == ("demo", "hub.example/istio", "1.23-test")
    told = spec["values"]["global"]
    assert (told["meshID"], told["network"]) == ("mesh-1", "network-east")
    assert told["multiCluster"] == {"clusterName": "east", "enabled": True}
    assert spec["meshConfig"]["trustDomain"] == "mesh.example"


def test_the_eastwest_gateway_is_for_its_network_alone() -> None:
    """Its profile is empty, so that the two resources never create the same object."""
    spec = operators(record_install())[EASTWEST]["spec"]
    assert (spec["profile"], spec["hub"], spec["tag"]) == ("empty", "hub.example/istio", "1.23-test")
    assert spec["components"].keys() == {"ingressGateways"}
    (gateway,) = spec["components"]["ingressGateways"]
    assert gateway["label"] == {
        "app": "istio-eastwestgateway",
        "istio": "eastwestgateway",
        "topology.istio.io/network": "network-east",
    }
    assert gateway["k8s"]["env"] == [{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": "network-east"}]
    assert spec["values"]["global"] == {"network": "network-east"}
    assert spec["values"]["gateways"]["istio-ingressgateway"]["injectionTemplate"] == "gateway"


def test_a_rotated_ca_is_taken_as_with_the_other_installer() -> None:
    """The keys are the operator's own ones for istiod's environment, and `cacerts` is the same Secret."""
    monitor = record_install()
    spec = operators(monitor)[CONTROL_PLANE]["spec"]
    assert spec["values"]["pilot"]["env"] == {"ISTIO_MULTIROOT_MESH": "true"}
    assert spec["meshConfig"]["defaultConfig"]["proxyMetadata"] == {"PROXY_CONFIG_XDS_AGENT": "true"}
    secret = monitor.find(recording.SECRET, "east-istio-cacerts").inputs
    assert secret["metadata"] == {"name": "cacerts", "namespace": "istio-system"}
    assert secret["stringData"] == Secret({"ca-key.pem": fake_secret("key")})


def test_all_three_gateways_are_made_without_a_service_of_the_operators() -> None:
    """The address of such a Service would not be an output, and the east-west one would open istiod's ports."""
    monitor = record_install()
    assert gateways(monitor).keys() == {"istio-ingressgateway", "istio-egressgateway", "istio-eastwestgateway"}
    assert all(gateway["enabled"] and "service" not in gateway["k8s"] for gateway in gateways(monitor).values())
    without = {
        name: {gateway for gateway, values in found["spec"]["values"]["gateways"].items() if values["customService"]}
        for name, found in operators(monitor).items()
    }
    # The operator looks up values by a gateway's kind, not by its name.
    assert without == {
        CONTROL_PLANE: {"istio-ingressgateway", "istio-egressgateway"},
        EASTWEST: {"istio-ingressgateway"},
    }


def test_every_container_has_requests_and_limits() -> None:
    """Namespaces with quotas refuse a pod without them, and the defaults of the LimitRange are too small for istiod."""
    monitor = record_install()
    spec = operators(monitor)[CONTROL_PLANE]["spec"]
    found = [gateway["k8s"]["resources"] for gateway in gateways(monitor).values()]
    found += [spec["components"]["pilot"]["k8s"]["resources"], spec["values"]["global"]["proxy"]["resources"]]
    assert len(found) == 5
    assert all(part.keys() == {"cpu", "memory"} for each in found for part in (each["requests"], each["limits"]))


@pytest.mark.parametrize(
    ("release", "kind", "targets"),
    [
        ("istio-ingressgateway", "LoadBalancer", {15021: 15021, 80: 8080, 443: 8443}),
        ("istio-egressgateway", "ClusterIP", {15021: 15021, 80: 8080, 443: 8443}),
        ("istio-eastwestgateway", "LoadBalancer", {15021: 15021, 15443: 15443}),
    ],
)
def test_services_lead_to_ports_on_which_an_unprivileged_gateway_may_listen(
    release: str, kind: str, targets: dict[int, int]
) -> None:
    """The operator's gateways cannot use ports below 1024. Otherwise the Services are equal to those of the charts."""
    monitor = record_install()
    (service,) = [
        found.inputs for found in monitor.find_all(recording.SERVICE) if found.inputs["metadata"]["name"] == release
    ]
    assert service["spec"]["type"] == kind
    assert {port["port"]: port["targetPort"] for port in service["spec"]["ports"]} == targets
    labels = {"app": release, "istio": release.removeprefix("istio-")}
    assert service["spec"]["selector"] == labels
    assert service["metadata"]["labels"].items() >= labels.items()


def test_each_resource_is_waited_for_until_the_operator_calls_it_healthy() -> None:
    """The timeout comes from the config. Resources that depend on them find istiod and its gateways ready."""
    for found in operators(record_install()).values():
        assert found["metadata"]["annotations"] == {
            "pulumi.com/waitFor": "jsonpath={.status.status}=HEALTHY",
            "pulumi.com/timeoutSeconds": "123",
            "pulumi.com/deletionPropagationPolicy": "background",
        }


def test_the_order_is_ca_and_rights_then_control_plane_then_gateway_then_listener() -> None:
    """Without cacerts, istiod would create its own root."""
    monitor = record_install()
    needs = {found.name: monitor.depends_on(found) for found in monitor.recorded}
    assert {"east-istio-cacerts", "east-istio-extensions-reader-binding"} <= needs["east-istio-control-plane"]
    assert "east-istio-control-plane" in needs["east-istio-eastwestgateway"]
    assert "east-istio-eastwestgateway" in needs["east-istio-cross-network-gateway"]
    assert not any(needs[f"east-istio-{role}"] for role in ("ingress", "egress", "eastwest"))


def test_the_cross_network_gateway_is_of_the_api_that_config_says() -> None:
    """Otherwise it is the same as with the other installer."""
    monitor = record_install()
    (gateway,) = [found.inputs for found in monitor.recorded if found.name == "east-istio-cross-network-gateway"]
    assert (gateway["apiVersion"], gateway["kind"]) == ("networking.istio.io/v1beta1", "Gateway")
    assert gateway["spec"]["selector"] == {"istio": "eastwestgateway"}


def test_istiod_may_read_wasm_plugins_as_whichever_account_it_runs() -> None:
    """Without this right, which Istio 1.12 lacked, istiod cannot start. The role contains no other right."""
    monitor = record_install()
    role = monitor.find(recording.CLUSTER_ROLE).inputs
    assert role["rules"] == [
        {"apiGroups": ["extensions.istio.io"], "resources": ["wasmplugins"], "verbs": ["get", "list", "watch"]}
    ]
    binding = monitor.find(recording.CLUSTER_ROLE_BINDING).inputs
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == "mcsps-istiod-extensions-reader"
    assert {(subject["kind"], subject["namespace"], subject["name"]) for subject in binding["subjects"]} == {
        ("ServiceAccount", "istio-system", "istiod"),
        ("ServiceAccount", "istio-system", "istiod-service-account"),
    }


def test_addresses_are_those_of_the_programs_own_services(*, preview: bool) -> None:
    """They are outputs like any others, and unknown in a preview."""
    monitor = record_install(preview=preview)
    if preview:
        assert monitor.exports == {"ingress": Unknown(), "eastwest": Unknown()}
        return
    known = {
        role: monitor.made(monitor.find(recording.SERVICE, f"east-istio-{role}"), "status")["loadBalancer"]["ingress"]
        for role in ("ingress", "eastwest")
    }
    assert monitor.exports == {role: address["ip"] for role, (address,) in known.items()}


def test_nothing_secret_is_shown(*, preview: bool) -> None:
    """The operator's resources contain no secret."""
    assert find_leaks(record_install(preview=preview)) == []
