"""The remote secret, tried in the same way as istiod does."""

import secrets
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import yaml

from mesh import kubeconfigs
from ops.cluster.views import SecretView
from ops.verify.remote import CredentialState, ProbeResult, RemoteKubeconfig, parse, probe, query, trust, try_secret

TOKEN = secrets.token_urlsafe(24)
SERVER = "https://198.18.0.11:6443"


def kubeconfig(**user: str) -> str:
    """Return a kubeconfig as in a remote secret, with another user if one is given."""
    text = kubeconfigs.render_token_kubeconfig(name="west", server=SERVER, ca_pem=None, token=TOKEN)
    if not user:
        return text
    document = yaml.safe_load(text)
    document["users"][0]["user"] = user
    return yaml.safe_dump(document)


def asked(handler: httpx.MockTransport) -> ProbeResult:
    """Return the result of a query to this server."""
    with httpx.Client(transport=handler) as http:
        return query(RemoteKubeconfig(server=SERVER, ca_pem=None, token=TOKEN), http)


class Secrets:
    """An API that contains only Secrets."""

    def __init__(self, *there: SecretView) -> None:
        self._there = there

    def secrets(self, _namespace: str, selector: str) -> tuple[SecretView, ...]:
        """Return the Secrets with a label."""
        key, _, value = selector.partition("=")
        return tuple(secret for secret in self._there if secret.labels.get(key) == value)

    def secret(self, _namespace: str, name: str) -> SecretView | None:
        """Return one Secret by name."""
        return next((secret for secret in self._there if secret.name == name), None)


def remote_secret(labels: Mapping[str, str], **data: str) -> SecretView:
    """Return the remote secret of west."""
    encoded = {key: value.encode() for key, value in data.items()}
    return SecretView(name="istio-remote-secret-west", labels=labels, data=encoded)


@pytest.mark.parametrize(
    ("status", "credential"),
    [
        (200, CredentialState.ACCEPTED),
        (401, CredentialState.REFUSED),
        (403, CredentialState.FORBIDDEN),
        (404, CredentialState.NO_API),
        (503, CredentialState.NO_API),
    ],
)
def test_the_servers_answer_tells_how_the_token_fares(status: int, credential: CredentialState) -> None:
    """Refused and forbidden are different errors. A server that is no working API proves nothing about the token."""
    outcome = asked(httpx.MockTransport(lambda _: httpx.Response(status)))
    assert outcome.credential is credential


def test_the_token_is_sent_to_read_endpoint_slices() -> None:
    """The resource is the one that istiod reads."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    asked(httpx.MockTransport(answer))
    assert seen[0].url.path == "/apis/discovery.k8s.io/v1/endpointslices"
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_certificate_of_another_ca_is_a_wrong_ca() -> None:
    """The TLS error is the cause of the libraries' exceptions."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("wrapped") from ssl.SSLCertVerificationError(1, "unable to get local issuer")

    assert asked(httpx.MockTransport(refuse)).credential is CredentialState.WRONG_CA


@pytest.mark.parametrize("error", [httpx.ConnectTimeout("slow"), httpx.ConnectError("refused")])
def test_a_server_out_of_reach_says_nothing_of_the_token(error: httpx.HTTPError) -> None:
    """Without a connection the validity of the token is unknown."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise error

    assert asked(httpx.MockTransport(refuse)).credential is CredentialState.UNREACHABLE


@pytest.mark.parametrize(
    "text",
    [
        "not: a kubeconfig",
        "{",
        kubeconfig(tokenFile="/token"),
        kubeconfig(password=TOKEN),
        kubeconfig().replace("current-context: west", "current-context: east"),
        kubeconfig().replace("users:", "users:\n- user: {}"),
        kubeconfig().replace("contexts:", "contexts:\n- null"),
    ],
    ids=["other yaml", "no yaml", "token in a file", "no token", "no such context", "nameless user", "no entry"],
)
def test_a_kubeconfig_that_istio_cannot_use_is_malformed_and_not_quoted(text: str) -> None:
    """The result contains the reason, and nothing of the text."""
    outcome = try_secret(remote_secret({}, west=text), "west")
    assert outcome.credential is CredentialState.MALFORMED
    assert TOKEN not in outcome.detail


def test_a_ca_that_is_no_certificate_is_malformed() -> None:
    """No server certificate can match it."""
    text = kubeconfigs.render_token_kubeconfig(name="west", server=SERVER, ca_pem="no pem", token=TOKEN)
    assert try_secret(remote_secret({}, west=text), "west").credential is CredentialState.MALFORMED


def test_this_machines_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy must not receive the token, and istiod does not use this machine's proxies."""
    made: list[dict[str, object]] = []
    real = httpx.Client

    def client(**options: Any) -> httpx.Client:  # noqa: ANN401 - the options of the code under test
        made.append(options)
        return real(transport=httpx.MockTransport(lambda _: httpx.Response(200)))

    monkeypatch.setattr(httpx, "Client", client)
    assert try_secret(remote_secret({}, west=kubeconfig()), "west").credential is CredentialState.ACCEPTED
    assert made[0]["trust_env"] is False


def test_no_ca_means_the_machines_own() -> None:
    """A kubeconfig has the same rule."""
    assert trust(None).verify_mode is ssl.CERT_REQUIRED


def test_the_token_is_not_in_the_repr() -> None:
    """A traceback therefore does not contain the token."""
    assert TOKEN not in repr(parse(kubeconfig()))
    assert TOKEN not in repr(remote_secret({}, west=kubeconfig()))


@pytest.mark.parametrize(
    ("there", "credential"),
    [
        ((), CredentialState.ABSENT),
        ((remote_secret({}, west=""),), CredentialState.UNLABELLED),
        ((remote_secret({"istio/multiCluster": "false"}, west=""),), CredentialState.UNLABELLED),
        ((remote_secret({"istio/multiCluster": "true"}, east=""),), CredentialState.MALFORMED),
        ((remote_secret({"istio/multiCluster": "true"}, west="no"),), CredentialState.MALFORMED),
    ],
    ids=["no secret", "no label", "wrong label", "wrong key", "no kubeconfig"],
)
def test_a_secret_that_istiod_would_not_read_is_told_apart(
    there: tuple[SecretView, ...], credential: CredentialState
) -> None:
    """It is absent, not labelled, stored under another key, or not a kubeconfig."""
    assert probe(Secrets(*there), "west").credential is credential  # type: ignore[arg-type]
