"""The facts that `verify` reads from one cluster."""

import json
import threading

import httpx
import pytest

from ops.cluster.execution import ExecResult
from ops.traffic.loops import ingress_url, through_ingress
from ops.verify.checks.consistency import SURFACE
from ops.verify.checks.endpoints import LOCAL_PODS
from ops.verify.checks.network_label import NETWORK_LABEL
from ops.verify.checks.traffic_ingress import INGRESS
from ops.verify.collect import collect
from ops.verify.facts import ClusterFacts
from ops.verify.gateways import GATEWAY, resolve
from ops.verify.links import REMOTES, parse_clusterz
from ops.verify.remote import CredentialState
from ops.verify.trust import CERTIFICATES, ROOTS, fingerprints
from tests.support.api_double import ApiDouble, pod, printed
from tests.support.mesh import UNKNOWN, inspection

SHOWN = {*UNKNOWN, "ingress"}
"""Other facts may belong to checks with their own tests."""


def look(api: ApiDouble, *peers: str, wait: float = 0) -> ClusterFacts:
    """Return the facts of a cluster with this API."""
    return collect(inspection(api, *peers, wait=wait))


def clusterz(**statuses: str) -> ExecResult:
    """Return an istiod's list of clusters."""
    return printed(json.dumps([{"id": name, "syncStatus": status} for name, status in statuses.items()]))


def sync(*words: ExecResult, wait: float = 0) -> tuple[str, str]:
    """Return the sync status of west and the query error, if istiods give these answers one after the other."""
    api = ApiDouble()
    api.istiods = tuple(pod(f"istiod-{number}", {}) for number in range(2))
    said = iter(words)
    api.says["/debug/clusterz"] = lambda: next(said)
    (remote,) = look(api, "west", wait=wait).get(REMOTES)
    return remote.sync, remote.query_error


def test_everything_that_verify_judges_is_seen() -> None:
    """The facts contain names, versions, addresses and fingerprints."""
    facts = look(ApiDouble())
    assert (facts.error, facts.read_errors, facts.kubernetes) == ("", {}, "v1.35.4")
    assert (facts.get(NETWORK_LABEL), facts.get(INGRESS)) == ("network-east", ("127.0.0.1",))
    assert facts.get(LOCAL_PODS) == {"v1": ("10.42.0.9",)}
    assert set(facts.get(ROOTS)) == {"istio-system", "sample"}
    assert set(facts.get(CERTIFICATES)) == {"helloworld-v1-5f", "istio-ingressgateway-5f"}
    assert facts.get(GATEWAY).resolved == ("127.0.0.1",)
    assert set(facts.get(SURFACE)) == {"Namespace sample", "Service sample/helloworld"}


def test_an_api_that_does_not_tell_its_version_is_out_of_reach() -> None:
    """No further request is sent to it."""
    api = ApiDouble()
    api.refuses["version"] = "no connection: timed out"
    assert look(api) == ClusterFacts(
        name="east", network="network-east", versions=("v1",), error="no connection: timed out"
    )


@pytest.mark.parametrize(
    ("method", "attributes"),
    [
        ("namespace_labels", {"network_label"}),
        ("config_map", {"roots"}),
        ("deployment", {"istiod", "gateway"}),
        ("service", {"service", "gateway", "ingress"}),
        ("shared", {"shared"}),
        ("pods", {"local", "certificates"}),
        ("execute", {"certificates"}),
    ],
)
def test_one_refusal_leaves_only_what_it_is_about_unknown(method: str, attributes: set[str]) -> None:
    """A missing right does not mean that the API is unreachable."""
    api = ApiDouble()
    api.refuses[method] = "the API answered 403 Forbidden"
    facts = look(api)
    unknown = {fact.name: reason for fact, reason in facts.read_errors.items() if fact.name in SHOWN}
    assert (facts.error, unknown) == ("", dict.fromkeys(attributes, "the API answered 403 Forbidden"))


def test_secrets_that_may_not_be_read_are_told_apart_from_absent_ones() -> None:
    """The sync status is still read from istiod."""
    api = ApiDouble()
    api.refuses["secrets"] = "the API answered 403 Forbidden"
    api.says["/debug/clusterz"] = lambda: clusterz(west="synced")
    (remote,) = look(api, "west").get(REMOTES)
    assert (remote.credential, remote.detail) == (CredentialState.NOT_READ, "the API answered 403 Forbidden")
    assert remote.sync == "synced"


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ((clusterz(west="synced"), clusterz(west="synced")), ("synced", "")),
        ((clusterz(west="synced"), clusterz(west="timeout")), ("timeout", "")),
        ((clusterz(west="synced"), clusterz(east="synced")), ("not known to it", "")),
        ((printed("", code=1), clusterz(west="timeout")), ("timeout", "")),
    ],
)
def test_the_worst_word_of_several_istiods_counts(words: tuple[ExecResult, ...], seen: tuple[str, str]) -> None:
    """Each istiod serves its own proxies."""
    assert sync(*words) == seen


def test_an_istiod_that_says_nothing_leaves_the_peer_unknown() -> None:
    """The good status of the other istiod is not enough."""
    missing = ExecResult(stdout="", stderr="no such command\n", finished=True, code=127)
    status, query_error = sync(clusterz(west="synced"), missing)
    assert status == ""
    assert query_error == "istiod-1 gave no list of clusters: exit code 127: no such command"


def test_an_istiod_that_says_nothing_once_is_asked_again() -> None:
    """One lost connection does not mean that the link is broken."""
    good = clusterz(west="synced")
    assert sync(good, printed("", code=1), good, good, wait=5) == ("synced", "")


def test_without_a_ready_istiod_nothing_is_known_of_a_peer() -> None:
    """Another check reports that istiod is not ready."""
    api = ApiDouble()
    api.istiods = (pod("istiod-0", {}, not_ready_reason="CrashLoopBackOff"),)
    (remote,) = look(api, "west").get(REMOTES)
    assert (remote.sync, remote.query_error) == ("", "no istiod is ready")


def test_a_bundle_has_one_fingerprint_for_each_certificate(root_pem: str) -> None:
    """A repeated certificate counts as one root."""
    (one,) = fingerprints(root_pem)
    assert len(one) == 64
    assert fingerprints(root_pem + root_pem) == {one}


@pytest.mark.parametrize("text", ["", "no pem"])
def test_a_bundle_without_a_certificate_is_refused(text: str) -> None:
    """It does not count as an empty set of roots."""
    with pytest.raises(ValueError, match=r".*"):
        fingerprints(text)


def test_istiods_list_of_clusters_gives_a_status_for_each() -> None:
    """The entry of istiod's own cluster has no secret."""
    text = (
        '[{"id":"east","secretName":"","syncStatus":"synced"},'
        '{"id":"west","secretName":"istio-system/istio-remote-secret-west","syncStatus":"timeout"}]\n'
    )
    assert parse_clusterz(text) == {"east": "synced", "west": "timeout"}


@pytest.mark.parametrize("text", ["", "404 page not found", "{}"])
def test_what_is_not_istiods_list_is_refused(text: str) -> None:
    """An error page does not count as an empty list."""
    with pytest.raises(ValueError, match=r".*"):
        parse_clusterz(text)


def test_addresses_resolve_to_themselves_and_unknown_names_to_nothing() -> None:
    """A load balancer may have an address or a name."""
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
    """The URL contains an IPv6 address in brackets."""
    assert ingress_url(address) == url


def test_a_loop_through_an_ingress_asks_each_request_once() -> None:
    """A refused connection and a 503 count as failures, and are never retried."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        if len(asked) == 2:
            return httpx.Response(503)
        return httpx.Response(200, text="Hello version: v1, instance: helloworld-v1-5f\n")

    http = httpx.Client(transport=httpx.MockTransport(answer))
    facts = through_ingress("east", "198.18.11.1", 100, threading.Event(), http, headers={"x-team": "test"})
    assert len(asked) == 100
    assert {request.headers["x-team"] for request in asked} == {"test"}
    assert facts.tally.failed == 2
    assert facts.tally.errors == {"ConnectError": 1, "HTTP 503": 1}
    assert facts.tally.instances == {"helloworld-v1-5f": 98}
