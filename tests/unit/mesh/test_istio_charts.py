"""Istio's charts as plain data: their sources, their releases, and what the program adds to rendered objects."""

from typing import Any

import pytest

from mesh import istio_charts
from mesh.istio_charts import ChartSource, IstioCharts
from mesh.istio_values import ControlPlane
from mesh.reader_rules import ReaderRights

CONTROL_PLANE = ControlPlane(
    cluster_name="east", network="n", mesh_id="m", trust_domain="t", hub="h", tag="g", timeout_seconds=1
)


def manifest(kind: str, name: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
    """Return an object of a kind."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **rest}


@pytest.mark.parametrize(
    ("charts", "expected"),
    [
        ("https://c.example/x", ChartSource(chart="base", repository="https://c.example/x", version="1.31.1")),
        ("oci://r.example/x", ChartSource(chart="oci://r.example/x/base", repository=None, version="1.31.1")),
        ("/srv/charts", ChartSource(chart="/srv/charts/base", repository=None, version=None)),
    ],
)
def test_a_chart_is_found_in_a_repository_a_registry_or_a_folder(charts: str, expected: ChartSource) -> None:
    """A folder's charts have versions of their own."""
    assert ChartSource.of(charts, "base", "1.31.1") == expected


def test_releases_are_rendered_for_the_version_of_their_cluster() -> None:
    """And have the names that Istio's documents give them, in the order of installation."""
    charts = IstioCharts(
        source="/charts",
        version="1.31.1",
        peer_rights=ReaderRights(secrets=True, endpoints=False),
        gateway_locality=None,
        values={"base": {}, "istiod": {}, "gateway": {}},
    )
    releases = charts.releases(CONTROL_PLANE, "v1.34.2")
    gateways = ["istio-ingressgateway", "istio-egressgateway", "istio-eastwestgateway"]
    assert list(releases) == ["base", "istiod", *gateways]
    assert {release.kube_version for release in releases.values()} == {"v1.34.2"}


def test_a_deployment_without_a_count_and_without_an_autoscaler_gets_one_replica() -> None:
    """Or a count that somebody changed would stay: the stack would not state any."""
    scaler = manifest("HorizontalPodAutoscaler", "a", spec={"scaleTargetRef": {"name": "scaled"}})
    objects = [
        scaler,
        manifest("Deployment", "scaled", spec={}),
        manifest("Deployment", "plain", spec={"selector": {}}),
        manifest("Deployment", "counted", spec={"replicas": 3}),
        manifest("ConfigMap", "c"),
    ]
    found = {each["metadata"]["name"]: each.get("spec") for each in istio_charts.with_replicas(objects)}
    assert found["scaled"] == {}
    assert found["plain"] == {"replicas": 1, "selector": {}}
    assert found["counted"] == {"replicas": 3}
    assert found["c"] is None


def test_objects_are_sorted_so_that_each_comes_after_what_it_needs() -> None:
    """Whatever their order in the chart is."""
    kinds = ["Deployment", "RoleBinding", "Role", "ConfigMap", "ClusterRoleBinding", "ServiceAccount", "ClusterRole"]
    found = [each["kind"] for each in istio_charts.in_order([manifest(kind, "x") for kind in kinds])]
    for place, kind in enumerate(found):
        assert not set(found[place:]) & istio_charts.NEEDS.get(kind, frozenset())


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("v1", "ConfigMap", "kubernetes:core/v1:ConfigMap"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
    ],
)
def test_types_are_those_of_pulumis_kubernetes_package(api_version: str, kind: str, expected: str) -> None:
    """The core group has a name there that the API does not have."""
    assert istio_charts.type_token({"apiVersion": api_version, "kind": kind}) == expected


@pytest.mark.parametrize(("policy", "expected"), [("keep", True), ("delete", False), (None, False)])
def test_an_object_is_kept_if_its_chart_says_so(policy: str | None, *, expected: bool) -> None:
    """By Helm's annotation; an object may have none."""
    annotations = {"helm.sh/resource-policy": policy} if policy else None
    found = {"kind": "X", "metadata": {"name": "x", "annotations": annotations}}
    assert istio_charts.is_kept(found) is expected
