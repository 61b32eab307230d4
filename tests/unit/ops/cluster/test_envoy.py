"""Envoy's list of clusters, and its list of secrets."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from ops.cluster.envoy import ProxyEndpoint, helloworld_endpoints, helloworld_splits, workload_certificates
from tests.support.api_double import secrets_json
from tests.support.authority import Authority

HOST = "helloworld.sample.svc.cluster.local"


def host(address: str, port: int, health: dict[str, Any] | None = None, **stats: int) -> dict[str, Any]:
    """Return one `host_statuses` entry. Envoy writes 64-bit numbers as text and omits zeros."""
    return {
        "address": {"socket_address": {"address": address, "port_value": port}},
        "stats": [
            {"name": name, "value": str(value)} if value else {"name": name, "type": "GAUGE"}
            for name, value in stats.items()
        ],
        "health_status": health or {"eds_health_status": "HEALTHY"},
        "weight": 1,
    }


def answer(**clusters: list[dict[str, Any]]) -> str:
    """Return Envoy's answer with helloworld's clusters, by subset, and other clusters."""
    ours = [
        {"name": f"outbound|5000|{subset.strip('_')}|{HOST}", "added_via_api": True, "host_statuses": hosts}
        for subset, hosts in clusters.items()
    ]
    pipe = {"name": "agent", "host_statuses": [{"address": {"pipe": {"path": "./etc/istio/proxy/XDS"}}}]}
    other = {"name": "outbound|80||other.sample.svc.cluster.local", "host_statuses": [host("10.0.0.1", 80)]}
    return json.dumps({"cluster_statuses": [pipe, other, {"name": "BlackHoleCluster"}, *ours]})


def test_the_endpoints_of_the_service_and_its_subsets_are_found() -> None:
    """Each has its address, port, subset and the counters that the diagnosis needs."""
    text = answer(
        _=[host("10.42.0.9", 5000)], v2=[host("198.18.12.2", 15443, rq_success=7, cx_connect_fail=3, rq_error=0)]
    )
    assert helloworld_endpoints(text) == (
        ProxyEndpoint(subset="", address="10.42.0.9", port=5000, healthy=True),
        ProxyEndpoint(subset="v2", address="198.18.12.2", port=15443, healthy=True, connect_failures=3, answered=7),
    )


@pytest.mark.parametrize(
    "health",
    [
        {"eds_health_status": "UNHEALTHY"},
        {"eds_health_status": "DRAINING"},
        {"eds_health_status": "HEALTHY", "failed_outlier_check": True},
        {"eds_health_status": "HEALTHY", "failed_active_health_check": True},
    ],
)
def test_any_way_to_be_unhealthy_counts(health: dict[str, Any]) -> None:
    """Discovery, outlier detection and health checks can each make an endpoint unhealthy."""
    (endpoint,) = helloworld_endpoints(answer(v1=[host("10.42.0.9", 5000, health)]))
    assert not endpoint.healthy


def test_a_sidecar_that_knows_nothing_of_helloworld_has_no_endpoints() -> None:
    """A missing Envoy cluster is no error."""
    assert helloworld_endpoints(answer()) == ()


@pytest.mark.parametrize("text", ["", "upstream connect error", '{"cluster_statuses": 3}'])
def test_what_is_not_envoys_answer_is_refused(text: str) -> None:
    """Any other text is an error, never an empty list."""
    with pytest.raises(ValidationError):
        helloworld_endpoints(text)


def test_a_proxys_chain_and_roots_are_found_one_by_one() -> None:
    """The certificates keep their order."""
    certificates = Authority("mesh").certificates(Authority("other"))
    assert workload_certificates(secrets_json(certificates)) == certificates
    assert len(certificates.chain) == len(certificates.roots) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "404 not found",
        '{"configs": []}',
        '{"configs": [{"name": "default", "secret": {"name": "default"}}]}',
        '{"configs": [{"name": "ROOTCA", "secret": {"validation_context": {"trusted_ca": {"inline_bytes": "!"}}}}]}',
    ],
)
def test_a_proxy_without_certificates_is_told_apart_from_one_that_trusts_nobody(text: str) -> None:
    """It is an error, never an empty chain."""
    with pytest.raises(ValueError, match=r".*"):
        workload_certificates(text)


def test_the_weighted_routes_to_helloworld_are_found_among_others() -> None:
    """Only routes with more than one version count; redirects and routes to other services do not."""

    def weighted(host: str, **parts: int) -> dict[str, Any]:
        clusters = [{"name": f"outbound|5000|{subset}|{host}", "weight": weight} for subset, weight in parts.items()]
        return {"route": {"weighted_clusters": {"clusters": clusters}}}

    routes = [weighted(HOST, v1=90, v2=10), {"route": {"cluster": "BlackHoleCluster"}}, {"redirect": {}}]
    mesh = {"name": "5000", "virtual_hosts": [{"routes": [weighted("other.sample.svc.cluster.local", v1=1, v2=99)]}]}
    ingress = {"name": "http.80", "virtual_hosts": [{"routes": routes}, {"name": "blackhole"}]}
    configs = [{"version_info": "1", "route_config": each} for each in (mesh, ingress, {"name": "empty"})]
    assert helloworld_splits(json.dumps({"configs": configs})) == ({"v1": 90, "v2": 10},)
    assert helloworld_splits("{}") == ()


@pytest.mark.parametrize("text", ["", "upstream connect error", '{"configs": 3}'])
def test_what_is_no_dump_of_routes_is_refused(text: str) -> None:
    """A dump of endpoints is checked in the same way."""
    with pytest.raises(ValidationError):
        helloworld_splits(text)
