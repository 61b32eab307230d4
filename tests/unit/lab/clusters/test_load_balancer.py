"""The addresses of Services."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from unittest.mock import create_autospec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from lab.clusters.load_balancer import Claim, assign, claim_of, reconcile

POOL = IPv4Network("198.18.11.0/24")
SMALL = IPv4Network("198.18.11.0/29")


def claim(name: str, address: str | None = None) -> Claim:
    """Return a claim in one namespace."""
    return Claim("sample", name, IPv4Address(address) if address else None)


def service(name: str, kind: str = "LoadBalancer", **spec: str) -> client.V1Service:
    """Return a Service as the API returns it."""
    return client.V1Service(
        metadata=client.V1ObjectMeta(name=name, namespace="sample"),
        spec=client.V1ServiceSpec(type=kind, **spec),
        status=client.V1ServiceStatus(load_balancer=client.V1LoadBalancerStatus()),
    )


def test_addresses_start_at_the_pools_first_host() -> None:
    """No Service gets the network's own address."""
    assert assign([claim("a"), claim("b")], POOL) == {
        claim("a"): IPv4Address("198.18.11.1"),
        claim("b"): IPv4Address("198.18.11.2"),
    }


def test_the_lowest_free_address_is_taken_first() -> None:
    """The address of a deleted Service is assigned again."""
    held = [claim("a", "198.18.11.1"), claim("c", "198.18.11.3")]
    assert assign([*held, claim("d")], POOL) == {claim("d"): IPv4Address("198.18.11.2")}


def test_an_address_outside_the_pool_is_replaced() -> None:
    """No node answers for such an address."""
    stray = claim("a", "203.0.113.7")
    assert assign([stray], POOL) == {stray: IPv4Address("198.18.11.1")}


def test_of_two_services_with_one_address_one_moves() -> None:
    """The first Service by name keeps the address."""
    first, second = claim("a", "198.18.11.1"), claim("b", "198.18.11.1")
    assert assign([second, first], POOL) == {second: IPv4Address("198.18.11.2")}


@given(
    st.lists(
        st.tuples(st.uuids().map(str), st.none() | st.integers(0, 9).map(lambda it: f"198.18.11.{it}")),
        max_size=9,
        unique_by=lambda it: it[0],
    )
)
def test_whatever_the_claims_no_address_is_given_twice(wanted: list[tuple[str, str | None]]) -> None:
    """New addresses are unique, free hosts of the pool. Every claim gets one while the pool has one."""
    claims = [claim(name, address) for name, address in wanted]
    held = {it.address for it in claims if it.address and it.address in SMALL}
    new = list(assign(claims, SMALL).values())
    assert len(set(new)) == len(new)
    assert set(new) <= set(SMALL.hosts()) - held
    assert len(new) == min(len(claims) - len(held), len(set(SMALL.hosts()) - held))


@pytest.mark.parametrize(
    "other",
    [service("a", "ClusterIP"), service("a", "NodePort"), service("a", load_balancer_class="example.com/other")],
)
def test_services_that_want_no_balancer_or_another_one_are_left_alone(other: client.V1Service) -> None:
    """The lab serves only LoadBalancer Services without a class."""
    assert claim_of(other) is None


def test_a_service_that_is_being_deleted_claims_nothing() -> None:
    """The next Service can get its address."""
    leaving = service("a")
    assert leaving.metadata
    leaving.metadata.deletion_timestamp = datetime.now(UTC)
    assert claim_of(leaving) is None


def test_reconciling_writes_the_address_into_the_status_alone() -> None:
    """The controller's rights allow a patch of a Service's status only."""
    api = create_autospec(client.CoreV1Api, instance=True)
    api.list_service_for_all_namespaces.return_value = client.V1ServiceList(
        items=[service("a"), service("b", "ClusterIP")],
        metadata=client.V1ListMeta(resource_version="7"),
    )
    assert reconcile(api, POOL) == "7"
    api.patch_namespaced_service_status.assert_called_once_with(
        "a",
        "sample",
        {"status": {"loadBalancer": {"ingress": [{"ip": "198.18.11.1", "ipMode": "VIP"}]}}},
    )


def test_a_service_deleted_meanwhile_does_not_stop_the_others() -> None:
    """Only a 404 is ignored. Every other error is raised, and the program retries."""
    api = create_autospec(client.CoreV1Api, instance=True)
    api.list_service_for_all_namespaces.return_value = client.V1ServiceList(items=[service("a"), service("b")])
    api.patch_namespaced_service_status.side_effect = [ApiException(status=404), None]
    reconcile(api, POOL)
    assert api.patch_namespaced_service_status.call_count == 2
    api.patch_namespaced_service_status.side_effect = ApiException(status=403)
    with pytest.raises(ApiException):
        reconcile(api, POOL)
