"""Reading what a cluster shows."""

import httpx
import pytest

from ops.gather import fingerprints, parse_clusterz, resolve
from ops.traffic import ingress_url, through_ingress


def test_a_bundle_has_one_fingerprint_for_each_certificate(root_pem: str) -> None:
    """The same certificate twice is one root."""
    (one,) = fingerprints(root_pem)
    assert len(one) == 64
    assert fingerprints(root_pem + root_pem) == {one}


@pytest.mark.parametrize("text", ["", "no pem"])
def test_a_bundle_without_a_certificate_is_refused(text: str) -> None:
    """It is not an empty set of roots."""
    with pytest.raises(ValueError, match=r".*"):
        fingerprints(text)


def test_istiods_list_of_clusters_gives_a_status_for_each() -> None:
    """Its own cluster has no secret."""
    text = (
        '[{"id":"east","secretName":"","syncStatus":"synced"},'
        '{"id":"west","secretName":"istio-system/istio-remote-secret-west","syncStatus":"timeout"}]\n'
    )
    assert parse_clusterz(text) == {"east": "synced", "west": "timeout"}


@pytest.mark.parametrize("text", ["", "404 page not found", "{}"])
def test_what_is_not_istiods_list_is_refused(text: str) -> None:
    """An error page is not an empty list."""
    with pytest.raises(ValueError, match=r".*"):
        parse_clusterz(text)


def test_addresses_resolve_to_themselves_and_unknown_names_to_nothing() -> None:
    """A load balancer may give either."""
    assert resolve(("198.18.12.1", "no-such-name.invalid")) == ("198.18.12.1",)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("198.18.12.1", "http://198.18.12.1/hello"),
        ("2001:db8::1", "http://[2001:db8::1]/hello"),
        ("lb.example.org", "http://lb.example.org/hello"),
    ],
)
def test_an_ingress_is_asked_at_its_address_or_name(address: str, url: str) -> None:
    """IPv6 in brackets."""
    assert ingress_url(address) == url


def test_a_loop_through_an_ingress_asks_each_request_once() -> None:
    """A refused connection and a 503 are counted, never tried again."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        if len(asked) == 2:
            return httpx.Response(503)
        return httpx.Response(200, text="Hello version: v1, instance: helloworld-v1-5f\n")

    http = httpx.Client(transport=httpx.MockTransport(answer))
    facts = through_ingress("east", "198.18.11.1", 100, http)
    assert len(asked) == 100
    assert facts.tally.failed == 2
    assert facts.tally.errors == {"ConnectError": 1, "HTTP 503": 1}
    assert facts.tally.instances == {"helloworld-v1-5f": 98}
