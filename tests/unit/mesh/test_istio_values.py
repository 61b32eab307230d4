"""Chart sources and merging, apart from any resource."""

import pytest

from mesh import istio_values
from mesh.istio_values import ChartSource


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
    assert istio_values.chart_source(charts, "base", "1.31.1") == expected


def test_merging_goes_key_by_key_through_maps_alone() -> None:
    """A list, a scalar or a map over a scalar is taken as a whole."""
    ours = {"kept": 1, "map": {"kept": 1, "changed": 1}, "list": [1, 2], "scalar": 1, "emptied": {"a": 1}}
    theirs = {"map": {"changed": 2, "new": 3}, "list": [3], "scalar": {"a": 1}, "emptied": None}
    assert istio_values.merge(ours, theirs) == {
        "kept": 1,
        "map": {"kept": 1, "changed": 2, "new": 3},
        "list": [3],
        "scalar": {"a": 1},
        "emptied": None,
    }


def test_gateways_are_labelled_as_the_chart_labels_their_pods() -> None:
    """`istio` is the release's name without the prefix that the release has."""
    assert istio_values.gateway_labels("istio-ingressgateway") == {
        "app": "istio-ingressgateway",
        "istio": "ingressgateway",
    }
