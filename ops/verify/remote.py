"""Reads a remote secret and tries it, as istiod does. The token goes to its own server alone."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
import yaml

from kube import errors as kube_errors
from mesh import kubeconfigs, names
from ops.cluster.api import ClusterApi
from ops.cluster.views import SecretView

_TIMEOUT_SECONDS = 5.0
_MULTICLUSTER_SELECTOR = f"{names.MULTICLUSTER_LABEL}=true"


class CredentialState(StrEnum):
    """What a try of a remote secret from this machine shows."""

    ACCEPTED = "accepted"
    ABSENT = "absent"
    UNLABELLED = "not labelled istio/multiCluster=true"
    MALFORMED = "malformed"
    REFUSED = "token refused"
    FORBIDDEN = "token may not read endpoint slices"
    WRONG_CA = "server certificate not accepted"
    NO_API = "server answered as no API"
    UNREACHABLE = "server not reached from here"
    NOT_READ = "not shown by the API"


WRONG_CREDENTIALS = frozenset(
    {CredentialState.MALFORMED, CredentialState.REFUSED, CredentialState.FORBIDDEN, CredentialState.WRONG_CA}
)
UNTRIED = frozenset({CredentialState.NO_API, CredentialState.UNREACHABLE, CredentialState.NOT_READ})
"""Failures that are specific to this machine; they do not implicate the credential."""


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What a try of a remote secret shows; the text quotes nothing of it."""

    credential: CredentialState
    detail: str


@dataclass(frozen=True, kw_only=True)
class RemoteKubeconfig:
    """The part of a remote secret's kubeconfig that istiod reads."""

    server: str
    ca_pem: str | None
    token: str = field(repr=False)


def probe(api: ClusterApi, peer: str) -> ProbeResult:
    """Find the remote secret of a peer and try it."""
    labelled = api.secrets(names.ISTIO_NAMESPACE, _MULTICLUSTER_SELECTOR)
    secret = next((secret for secret in labelled if peer in secret.data), None)
    if secret is not None:
        return try_secret(secret, peer)
    name = names.remote_secret(peer)
    unlabelled = api.secret(names.ISTIO_NAMESPACE, name)
    if unlabelled is None:
        return ProbeResult(credential=CredentialState.ABSENT, detail=f"no Secret holds a key '{peer}'")
    if peer not in unlabelled.data:
        return ProbeResult(credential=CredentialState.MALFORMED, detail=f"{name} has no key '{peer}'")
    return ProbeResult(credential=CredentialState.UNLABELLED, detail=name)


def try_secret(secret: SecretView, peer: str) -> ProbeResult:
    """Parse a remote secret and query its server for what istiod reads."""
    try:
        kubeconfig = parse(secret.data[peer].decode())
        context = trust(kubeconfig.ca_pem)
    except ValueError as error:
        return ProbeResult(credential=CredentialState.MALFORMED, detail=f"{secret.name}: {error}")
    # istiod does not use this machine's proxies.
    with httpx.Client(verify=context, timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
        return query(kubeconfig, http)


def parse(text: str) -> RemoteKubeconfig:
    """
    Read server, CA and token of the current context.

    Raises:
        ValueError: The text is no kubeconfig, its current context leads nowhere, or its user has no inline token. The
            message quotes nothing of it.
    """
    endpoint = kubeconfigs.read_endpoint(text)
    document = yaml.safe_load(text)
    try:
        contexts = {entry["name"]: entry["context"] for entry in document["contexts"]}
        users = {entry["name"]: entry["user"] for entry in document["users"]}
        token = users[contexts[document["current-context"]]["user"]].get("token")
    except (KeyError, TypeError):
        message = "has an entry without a name"
        raise ValueError(message) from None
    if not isinstance(token, str) or not token:
        message = "has no inline token, and Istio reads nothing else"
        raise ValueError(message)
    return RemoteKubeconfig(server=endpoint.server, ca_pem=endpoint.ca_pem, token=token)


def trust(ca_pem: str | None) -> ssl.SSLContext:
    """
    Trust one CA, or the machine's own CAs where the kubeconfig names none.

    Raises:
        ValueError: The CA is not PEM.
    """
    try:
        return ssl.create_default_context(cadata=ca_pem)
    except ssl.SSLError:
        message = "certificate-authority-data holds no certificate"
        raise ValueError(message) from None


def query(kubeconfig: RemoteKubeconfig, http: httpx.Client) -> ProbeResult:
    """Query the server for endpoint slices, as the kubeconfig's user."""
    server = kubeconfig.server
    try:
        answer = http.get(
            f"{server.rstrip('/')}/apis/discovery.k8s.io/v1/endpointslices",
            params={"limit": 1},
            headers={"Authorization": f"Bearer {kubeconfig.token}"},
        )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
        return _refusal(server, error)
    return ProbeResult(
        credential=_MEANING.get(answer.status_code, CredentialState.NO_API),
        detail=f"{server} answered {answer.status_code}",
    )


_MEANING: Mapping[int, CredentialState] = {
    httpx.codes.OK: CredentialState.ACCEPTED,
    httpx.codes.UNAUTHORIZED: CredentialState.REFUSED,
    httpx.codes.FORBIDDEN: CredentialState.FORBIDDEN,
}


def _refusal(server: str, error: Exception) -> ProbeResult:
    if isinstance(error, UnicodeEncodeError | httpx.LocalProtocolError):
        return ProbeResult(credential=CredentialState.MALFORMED, detail="the token has invalid characters")
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ProbeResult(credential=CredentialState.MALFORMED, detail="the server is not an https:// URL")
    untrusted = kube_errors.is_untrusted(error)
    return ProbeResult(
        credential=CredentialState.WRONG_CA if untrusted else CredentialState.UNREACHABLE,
        detail=f"{server}: {kube_errors.reason(error)}",
    )
