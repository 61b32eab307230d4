"""Values and their merging, apart from any resource."""

from mesh import istio_values


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
