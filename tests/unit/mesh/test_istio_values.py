"""Helm values and their merging, without any resource."""

import pytest

from mesh import istio_values


def test_merging_goes_key_by_key_through_maps_alone() -> None:
    """A list, a scalar, or a map in place of a scalar replaces the whole value."""
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
    """The label `istio` is the release's name without its prefix."""
    assert istio_values.gateway_labels("istio-ingressgateway") == {
        "app": "istio-ingressgateway",
        "istio": "ingressgateway",
    }


@pytest.mark.parametrize(
    ("chart", "values", "path"),
    [
        *(
            (chart, {key: {}}, key)
            for chart in ("base", "istiod", "gateway")
            for key in ("defaults", "_internal_defaults_do_not_set")
        ),
        *((chart, {"global": {"resourceScope": "cluster"}}, "global.resourceScope") for chart in ("base", "istiod")),
        ("istiod", {"pilot": {"resources": {"limits": {"cpu": "1"}}}}, "pilot"),
        ("istiod", {"tag": "1.12.0"}, "tag"),
        ("istiod", {"global": {"operatorManageWebhooks": True}}, "global.operatorManageWebhooks"),
        ("istiod", {"global": {"proxy": {"clusterDomain": "corp.local"}}}, "global.proxy.clusterDomain"),
        ("istiod", {"meshConfig": {"defaultConfig": {"meshId": "other"}}}, "meshConfig.defaultConfig.meshId"),
        ("istiod", {"env": {"REVISION": "canary"}}, "env.REVISION"),
        ("gateway", {"networkGatewayPorts": []}, "networkGatewayPorts"),
        ("gateway", {"labels": {"sidecar.istio.io/inject": "false"}}, "labels.sidecar.istio.io/inject"),
        ("gateway", {"podAnnotations": {"inject.istio.io/templates": "x"}}, "podAnnotations.inject.istio.io/templates"),
    ],
)
def test_values_that_break_the_mesh_or_that_no_chart_reads_are_found(
    chart: str, values: dict[str, object], path: str
) -> None:
    """The values can be in any place where the charts read them."""
    found = istio_values.find_owned(chart, values)
    assert found is not None
    assert found[0] == path
