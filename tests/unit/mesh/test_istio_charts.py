"""Istio's charts as plain data: the sources and the releases."""

import pytest

from mesh.istio_charts import ChartSource, IstioCharts
from mesh.istio_values import ControlPlane
from mesh.reader_rules import ReaderRights

CONTROL_PLANE = ControlPlane(
    cluster_name="east", network="n", mesh_id="m", trust_domain="t", hub="h", tag="g", timeout_seconds=1
)


@pytest.mark.parametrize(
    ("charts", "expected"),
    [
        ("https://c.example/x", ChartSource(chart="base", repository="https://c.example/x", version="1.31.1")),
        ("oci://r.example/x", ChartSource(chart="oci://r.example/x/base", repository=None, version="1.31.1")),
        ("/srv/charts", ChartSource(chart="/srv/charts/base", repository=None, version=None)),
    ],
)
def test_a_chart_is_found_in_a_repository_a_registry_or_a_folder(charts: str, expected: ChartSource) -> None:
    """The charts in a folder have their own versions."""
    assert ChartSource.of(charts, "base", "1.31.1") == expected


def test_releases_are_rendered_for_the_version_of_their_cluster() -> None:
    """The releases have the names of Istio's documentation, in the order of installation."""
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
