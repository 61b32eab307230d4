"""IstioInstall: charts, values, order, gateways and their addresses."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi import ErrorHookArgs, ResourceOptions

from components import HelmInstallerArgs, IstioInstall, IstioInstallArgs, gateway_service
from mesh import gateways
from mesh.istio_charts import IstioCharts
from mesh.istio_values import ControlPlane
from mesh.reader_rules import ReaderRights
from recorder.registrations import Registration
from recorder.values import Secret, Unknown
from tests.support import recording
from tests.support.charts import render_releases
from tests.support.components import kinds, kubernetes_provider
from tests.support.leaks import MARK, fake_secret, find_leaks
from tests.support.recording import Maker, RecordingMonitor, record, with_outputs

REPOSITORY = "https://charts.example/istio"
RELEASES = {
    "base": "base",
    "istiod": "istiod",
    "istio-ingressgateway": "gateway",
    "istio-egressgateway": "gateway",
    "istio-eastwestgateway": "gateway",
}
GATEWAYS = [name for name, chart in RELEASES.items() if chart == "gateway"]
Values = Mapping[str, Any]
NONE: Mapping[str, Values] = {}


def make_args(
    *,
    charts: str = REPOSITORY,
    values: Mapping[str, Values] = NONE,
    reads_peer_secrets: bool = False,
    locality: str | None = None,
) -> IstioInstallArgs:
    """Return the Args of a cluster that differs from all defaults; `values` are by chart."""
    control_plane = ControlPlane(
        cluster_name="east",
        network="network-east",
        mesh_id="mesh-1",
        trust_domain="mesh.example",
        hub="hub.example/istio",
        tag="1.31-test",
        timeout_seconds=123,
    )
    istio_charts = IstioCharts(
        source=charts,
        version="1.31.1",
        peer_rights=ReaderRights(secrets=reads_peer_secrets, endpoints=False),
        gateway_locality=locality,
        values={"base": {}, "istiod": {}, "gateway": {}, **values},
    )
    return IstioInstallArgs(
        control_plane=control_plane,
        cacerts=pulumi.Output.secret({"ca-key.pem": fake_secret("key")}),
        networking_api="networking.istio.io/v1",
        installer=HelmInstallerArgs(
            releases=render_releases(istio_charts.releases(control_plane, "v1.31.4")),
            crd_provider=kubernetes_provider("east-crds"),
        ),
    )


def record_install(  # noqa: PLR0913 - one for each thing that a test may choose
    *,
    preview: bool = False,
    charts: str = REPOSITORY,
    values: Mapping[str, Values] = NONE,
    reads_peer_secrets: bool = False,
    locality: str | None = None,
    makers: Mapping[str, Maker] | None = None,
) -> RecordingMonitor:
    """Record Istio on one cluster."""

    def body() -> None:
        provider = kubernetes_provider("east")
        args = make_args(charts=charts, values=values, reads_peer_secrets=reads_peer_secrets, locality=locality)
        install = IstioInstall("east-istio", args, ResourceOptions(provider=provider))
        pulumi.export("ingress", install.ingress_address)
        pulumi.export("eastwest", install.eastwest_address)

    return record(body, preview=preview, makers=makers)


def charts_of(monitor: RecordingMonitor) -> dict[str, Registration]:
    """Return all charts by the name of their release."""
    return {found.inputs["name"]: found for found in monitor.find_all(recording.CHART)}


def kind_of(found: Registration) -> str:
    """Return the kind of an object."""
    return found.type.rpartition(":")[2]


def children_of(monitor: RecordingMonitor, release: str) -> list[Registration]:
    """Return the objects of a release."""
    return monitor.children(charts_of(monitor)[release])


def deployment_of(monitor: RecordingMonitor, release: str) -> Registration:
    """Return the Deployment of a release."""
    (deployment,) = [found for found in children_of(monitor, release) if found.type == recording.DEPLOYMENT]
    return deployment


def service_of(monitor: RecordingMonitor, release: str) -> Registration:
    """Return the Service of a gateway."""
    (service,) = [
        found
        for found in monitor.find_all(recording.SERVICE)
        if found.inputs["metadata"]["name"] == release and ":" not in found.name
    ]
    return service


def test_one_cluster_gets_five_charts_three_services_a_secret_and_a_gateway(*, preview: bool) -> None:
    """They are children of the component, and use the provider that it was given."""
    monitor = record_install(preview=preview)
    component = monitor.find("mcsps:index:IstioInstall", "east-istio")
    children = monitor.children(component)
    assert kinds(children) == sorted(5 * ["Chart"] + 3 * ["Service"] + ["Secret", "Gateway"])
    assert component.inputs == {"clusterName": "east"}


def test_only_crds_may_be_taken_over_where_they_are_there() -> None:
    """The CRDs outlive the chart. Any other existing object belongs to someone else."""
    monitor = record_install()
    objects = [found for found in monitor.recorded if found.type.startswith("kubernetes:") and found.custom]
    providers = {(kind_of(found) == "CustomResourceDefinition", monitor.provider_name(found)) for found in objects}
    assert providers == {(True, "east-crds-kubernetes"), (False, "east-kubernetes")}


def test_only_crds_stay_when_their_release_goes() -> None:
    """The chart requests this with Helm's own annotation."""
    objects = [found for found in record_install().recorded if found.custom]
    assert {kind_of(found) for found in objects if found.retain_on_delete} == {"CustomResourceDefinition"}


@pytest.mark.parametrize("first", ["ServiceAccount", "ConfigMap", "ClusterRole", "ClusterRoleBinding"])
def test_istiod_starts_after_what_it_reads_once(first: str) -> None:
    """An istiod that starts before its injector's template exists never serves injection."""
    monitor = record_install()
    needed = {found.urn for found in children_of(monitor, "istiod") if kind_of(found) == first}
    assert needed
    assert needed <= deployment_of(monitor, "istiod").dependencies


@pytest.mark.parametrize("kind", ["Service", "MutatingWebhookConfiguration", "HorizontalPodAutoscaler"])
def test_istiod_does_not_wait_for_what_waits_for_it(kind: str) -> None:
    """The Service waits for endpoints, and the injection webhook for the CA bundle that istiod writes."""
    monitor = record_install()
    waiting = {found.urn for found in children_of(monitor, "istiod") if kind_of(found) == kind}
    assert waiting
    assert not waiting & deployment_of(monitor, "istiod").dependencies


def test_bindings_come_after_their_roles() -> None:
    """Kubernetes refuses a binding to a role that does not exist, unless the user may bind all roles."""
    monitor = record_install()
    kinds_of = {kind_of(found): found for found in children_of(monitor, "istiod")}
    assert kinds_of["ClusterRole"].urn in kinds_of["ClusterRoleBinding"].dependencies


def test_charts_and_their_objects_keep_the_names_of_pulumis_own_chart() -> None:
    """A different URN would replace every object of a stack."""
    monitor = record_install()
    deployment = deployment_of(monitor, "istiod")
    assert deployment.type == "kubernetes:apps/v1:Deployment"
    assert deployment.name == "east-istio-istiod:istio-system/istiod"
    assert "IstioInstall$kubernetes:helm.sh/v4:Chart$kubernetes:apps/v1:Deployment" in deployment.urn
    assert {found.type for found in children_of(monitor, "base")} == {
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration",
    }


def test_cacerts_are_secret_and_where_istiod_looks(*, preview: bool) -> None:
    """The Secret's name and namespace are Istio's."""
    secret = record_install(preview=preview).find(recording.SECRET, "east-istio-cacerts")
    assert secret.inputs["metadata"] == {"name": "cacerts", "namespace": "istio-system"}
    assert secret.inputs["stringData"] == Secret({"ca-key.pem": fake_secret("key")})


def test_releases_have_the_names_and_the_namespace_that_istio_documents() -> None:
    """The chart labels a gateway's pods with the name of the release."""
    charts = charts_of(record_install())
    assert {name: found.inputs["chart"] for name, found in charts.items()} == RELEASES
    assert {found.inputs["namespace"] for found in charts.values()} == {"istio-system"}


def test_charts_come_from_an_https_repository() -> None:
    """The version comes from the config."""
    for found in charts_of(record_install()).values():
        assert found.inputs["repositoryOpts"] == {"repo": REPOSITORY}
        assert found.inputs["version"] == "1.31.1"


def test_charts_come_from_an_oci_registry() -> None:
    """The chart's name contains the registry."""
    charts = charts_of(record_install(charts="oci://registry.example/charts"))
    for name, found in charts.items():
        assert found.inputs["chart"] == f"oci://registry.example/charts/{RELEASES[name]}"
        assert "repositoryOpts" not in found.inputs
        assert found.inputs["version"] == "1.31.1"


def test_charts_come_from_a_folder() -> None:
    """In a folder, each chart has its own version."""
    charts = charts_of(record_install(charts="/charts"))
    for name, found in charts.items():
        assert found.inputs["chart"] == f"/charts/{RELEASES[name]}"
        assert not {"repositoryOpts", "version"} & found.inputs.keys()


def test_istiod_is_told_mesh_network_cluster_and_images() -> None:
    """The values are in the places where the chart reads them."""
    values = charts_of(record_install())["istiod"].inputs["values"]
    told = values["global"]
    assert (told["meshID"], told["network"], told["multiCluster"]) == (
        "mesh-1",
        "network-east",
        {"clusterName": "east"},
    )
    assert (told["hub"], told["tag"]) == ("hub.example/istio", "1.31-test")
    assert values["meshConfig"]["trustDomain"] == "mesh.example"


@pytest.mark.parametrize("reads_peer_secrets", [True, False])
def test_istiod_takes_a_longer_list_of_roots_and_reads_secrets_of_peers_if_it_may(*, reads_peer_secrets: bool) -> None:
    """The values use the top-level key `env`, which is the only one that the chart reads."""
    values = charts_of(record_install(reads_peer_secrets=reads_peer_secrets))["istiod"].inputs["values"]
    assert values["env"] == {
        "ISTIO_MULTIROOT_MESH": "true",
        "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER": "true" if reads_peer_secrets else "false",
    }
    assert values["meshConfig"]["defaultConfig"]["proxyMetadata"] == {"PROXY_CONFIG_XDS_AGENT": "true"}


@pytest.mark.parametrize("release", ["base", "istiod"])
def test_no_chart_makes_a_reader_that_could_read_secrets(release: str) -> None:
    """Links have their own accounts. Webhooks fail closed from the start, so no refresh shows a change."""
    values = charts_of(record_install())[release].inputs["values"]
    assert values["global"]["enableReaderRBAC"] is False
    assert values["base"] == {"validationFailurePolicy": "Fail"}


def test_only_the_east_west_gateway_serves_other_networks() -> None:
    """The charts create no Service, because the component creates its own."""
    charts = charts_of(record_install())
    served = {name: charts[name].inputs["values"].get("networkGateway") for name in GATEWAYS}
    assert served == {
        "istio-ingressgateway": None,
        "istio-egressgateway": None,
        "istio-eastwestgateway": "network-east",
    }
    assert all(charts[name].inputs["values"]["service"] == {"type": "None"} for name in GATEWAYS)


def test_gateways_say_where_they_are_if_that_is_known() -> None:
    """As clients of helloworld, they prefer near endpoints. Without a locality, they use that of their node."""
    charts = charts_of(record_install(locality="eu.eu-1"))
    labels = {name: charts[name].inputs["values"].get("labels") for name in RELEASES}
    assert labels == {
        name: {"topology.istio.io/locality": "eu.eu-1"} if chart == "gateway" else None
        for name, chart in RELEASES.items()
    }
    assert not any("labels" in chart.inputs["values"] for chart in charts_of(record_install()).values())


@pytest.mark.parametrize("release", RELEASES)
def test_values_of_config_are_laid_over_the_programs_own(release: str) -> None:
    """Maps are merged, and the user's other values replace the program's. Each chart gets only its own values."""
    before = charts_of(record_install())[release].inputs["values"]
    theirs = {"extra": {"key": [1]}, "resources": {"limits": {"cpu": "9"}}}
    after = charts_of(record_install(values={RELEASES[release]: theirs}))
    laid = after[release].inputs["values"]
    assert laid["extra"] == {"key": [1]}
    assert laid["resources"]["limits"]["cpu"] == "9"
    if release != "base":
        assert laid["resources"]["requests"] == before["resources"]["requests"]
    assert laid.keys() == before.keys() | {"extra", "resources"}
    others = [name for name, chart in RELEASES.items() if chart != RELEASES[release]]
    assert all("extra" not in after[name].inputs["values"] for name in others)


@pytest.mark.parametrize("release", ["istiod", *GATEWAYS])
def test_every_container_has_requests_and_limits(release: str) -> None:
    """Namespaces with quotas refuse a pod without them."""
    resources = charts_of(record_install())[release].inputs["values"]["resources"]
    assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}


def test_istiod_comes_after_its_ca_the_crds_and_the_webhook_that_it_writes_its_ca_into() -> None:
    """Without cacerts, istiod would create its own root. A new version of istiod can also need new CRDs."""
    monitor = record_install()
    needs = monitor.depends_on(charts_of(monitor)["istiod"])
    assert {
        "east-istio-cacerts",
        "east-istio-base:gateways.networking.istio.io",
        "east-istio-base:istiod-default-validator",
    } <= needs


@pytest.mark.parametrize("release", GATEWAYS)
def test_gateways_come_after_istiod_and_their_services_wait_for_nothing(release: str) -> None:
    """Istiod injects a gateway's pod. A cloud's load balancer takes longer than both."""
    monitor = record_install()
    assert "east-istio-istiod:istio-system/istiod" in monitor.depends_on(charts_of(monitor)[release])
    assert not monitor.depends_on(service_of(monitor, release))


@pytest.mark.parametrize(
    ("release", "kind", "ports"),
    [
        ("istio-ingressgateway", "LoadBalancer", {"status-port": 15021, "http2": 80, "https": 443}),
        ("istio-egressgateway", "ClusterIP", {"status-port": 15021, "http2": 80, "https": 443}),
        ("istio-eastwestgateway", "LoadBalancer", {"status-port": 15021, "tls": 15443}),
    ],
)
def test_services_open_what_their_gateway_is_for_and_no_more(release: str, kind: str, ports: dict[str, int]) -> None:
    """The east-west load balancer opens only 15021 and 15443, so istiod's ports stay closed."""
    spec = service_of(record_install(), release).inputs["spec"]
    assert spec["type"] == kind
    assert {port["name"]: port["port"] for port in spec["ports"]} == ports
    assert all(port["port"] == port["targetPort"] and port["protocol"] == "TCP" for port in spec["ports"])


@pytest.mark.parametrize("release", GATEWAYS)
def test_services_select_the_pods_of_their_own_release(release: str) -> None:
    """They use the labels that the chart `gateway` sets."""
    inputs = service_of(record_install(), release).inputs
    labels = {"app": release, "istio": release.removeprefix("istio-")}
    assert inputs["spec"]["selector"] == labels
    network = {"topology.istio.io/network": "network-east"} if release == "istio-eastwestgateway" else {}
    assert inputs["metadata"]["labels"] == {**labels, **network}


def test_the_cross_network_gateway_passes_mtls_through() -> None:
    """It waits for the complete east-west gateway. Istiod has by then written its CA into the validating webhook."""
    monitor = record_install()
    gateway = monitor.find(recording.GATEWAY, "east-istio-cross-network-gateway")
    assert gateway.inputs["apiVersion"] == "networking.istio.io/v1"
    assert gateway.inputs["metadata"]["name"] == "cross-network-gateway"
    assert gateway.inputs["metadata"]["namespace"] == "istio-system"
    assert gateway.inputs["spec"] == {
        "selector": {"istio": "eastwestgateway"},
        "servers": [
            {
                "port": {"number": 15443, "name": "tls", "protocol": "TLS"},
                "tls": {"mode": "AUTO_PASSTHROUGH"},
                "hosts": ["*.local"],
            }
        ],
    }
    assert "east-istio-eastwestgateway:istio-system/istio-eastwestgateway" in monitor.depends_on(gateway)


def test_all_that_is_waited_for_is_waited_for_as_long_as_config_says() -> None:
    """These are the Deployments, the injection webhook and the load balancers."""
    monitor = record_install()
    charts = charts_of(monitor)
    timeout = {"pulumi.com/timeoutSeconds": "123"}
    istiod = charts["istiod"].inputs["values"]
    assert istiod["deploymentAnnotations"].items() >= timeout.items()
    assert istiod["sidecarInjectorWebhookAnnotations"] == {
        "pulumi.com/waitFor": "jsonpath={.webhooks[0].clientConfig.caBundle}",
        **timeout,
    }
    for release in GATEWAYS:
        assert charts[release].inputs["values"]["annotations"] == timeout
    for release in ("istio-ingressgateway", "istio-eastwestgateway"):
        assert service_of(monitor, release).inputs["metadata"]["annotations"] == {
            "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0]}",
            **timeout,
        }


def test_no_other_service_is_waited_for() -> None:
    """Pulumi would wait ten seconds for each, and nothing reads them."""
    monitor = record_install()
    services = [found.inputs for found in monitor.find_all(recording.SERVICE)]
    others = [found["metadata"]["annotations"] for found in services if found["spec"].get("type") != "LoadBalancer"]
    assert others == 2 * [{"pulumi.com/skipAwait": "true"}]


@pytest.mark.parametrize("ingress", [{"ip": "203.0.113.7"}, {"hostname": "lb.example"}])
def test_an_address_may_be_an_ip_or_a_host_name(ingress: dict[str, str]) -> None:
    """Clouds assign either of them."""
    status = {"status": {"loadBalancer": {"ingress": [ingress]}}}
    monitor = record_install(makers={recording.SERVICE: with_outputs(status)})
    (address,) = ingress.values()
    assert monitor.exports == {"ingress": address, "eastwest": address}


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"loadBalancer": {}},
        {"loadBalancer": {"ingress": []}},
        {"loadBalancer": {"ingress": [{}]}},
        {"loadBalancer": {"ingress": [{"ip": None}]}},
    ],
)
def test_a_service_without_an_address_is_named_with_its_cluster_and_stops_nothing(
    status: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """The failure does not stop the routing of the other clusters, and the output is empty."""
    monitor = record_install(makers={recording.SERVICE: with_outputs({"status": status})})
    assert monitor.exports == {}
    assert monitor.find(recording.GATEWAY)
    assert re.search(
        r"Service istio-system/istio-(ingress|eastwest)gateway of cluster east has no address. Check the .+ `pulumi up",
        caplog.text,
    )


def test_a_load_balancer_that_gives_no_address_in_time_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """Pulumi's own error contains neither the cluster nor the gateway's name. Other errors are clear."""

    def body() -> None:
        timed_out = "failed to become live: timed out waiting for the condition"
        for operation, error in (("create", timed_out), ("create", "request timed out"), ("delete", timed_out)):
            args = ErrorHookArgs(urn="", id="", name="", type="", failed_operation=operation, errors=[error])
            assert not gateway_service.report_missing_address("east", gateways.INGRESS, args)

    record(body)
    (line,) = caplog.messages
    assert line.startswith("Service istio-system/istio-ingressgateway of cluster east has no address. Check the load")
    assert line.endswith("run `pulumi up`")


def test_each_address_is_that_of_its_own_gateway() -> None:
    """The addresses are outputs of the component."""
    monitor = record_install()
    known = {
        name: monitor.made(service_of(monitor, release), "status")["loadBalancer"]["ingress"][0]["ip"]
        for name, release in (("ingress", "istio-ingressgateway"), ("eastwest", "istio-eastwestgateway"))
    }
    assert monitor.exports == known
    component = monitor.find("mcsps:index:IstioInstall")
    assert monitor.component_outputs[component.urn] == {
        "ingressAddress": known["ingress"],
        "eastwestAddress": known["eastwest"],
    }


def test_addresses_are_not_known_in_a_preview() -> None:
    """The preview succeeds with unknown addresses."""
    assert record_install(preview=True).exports == {"ingress": Unknown(), "eastwest": Unknown()}


def test_nothing_secret_is_shown(*, preview: bool) -> None:
    """Neither the registered resources nor the repr of the Args show a secret."""
    assert find_leaks(record_install(preview=preview)) == []

    def body() -> None:
        pulumi.export("repr", repr(make_args()))

    assert MARK not in record(body).exports["repr"]
