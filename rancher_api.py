"""
What is asked of a Rancher server before anything is registered: does it answer, is the token good, are the clusters up.

It only asks: no token is made, and nothing is changed. What it cannot find out is left to Rancher, which refuses later.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from components import _kubeconfig

SECONDS = 10.0
MINUTES_PER_HOUR = 60
MAX_TTL = "auth-token-max-ttl-minutes"
SHOWN_MAX = 10
_TOKEN = re.compile(r"[!-9;-~]+:[!-~]+")
_EVERYTHING = {"group": "*", "resource": "*", "verb": "*"}
_REVIEW = {
    "apiVersion": "authorization.k8s.io/v1",
    "kind": "SelfSubjectAccessReview",
    "spec": {"resourceAttributes": _EVERYTHING},
}
_ALLOWED = (
    "allowed is an API token of Rancher's that is good for the whole server, such as token-abc12:..., not expired and "
    "with no scope; make one, and: pulumi config set --secret mcsps:rancherToken"
)


class LookUpError(Exception):
    """
    What the look-up found wrong.

    Attributes:
        key: The config key to mend, without its prefix.
    """

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the config says of a Rancher server."""

    url: str
    ca_certs: str | None
    token: str = field(repr=False)
    token_ttl_hours: int
    cluster_ids: Mapping[str, str]
    """By the config key that names each."""


def look_up(wanted: Wanted) -> None:
    """
    Ask the server whether all of it can be.

    Raises:
        LookUpError: What cannot be, and how to mend it. The token is never quoted.
    """
    if not _TOKEN.fullmatch(wanted.token):
        raise LookUpError("rancherToken", f"is no token; {_ALLOWED}")
    client = httpx.Client(
        base_url=wanted.url,
        headers={"Authorization": f"Bearer {wanted.token}", "Accept": "application/json"},
        timeout=SECONDS,
        verify=_trust(wanted.ca_certs),
    )
    with client, _reaching(wanted.url):
        known = _clusters(client)
        _check_ttl(client, wanted.token_ttl_hours)
        for key, cluster_id in wanted.cluster_ids.items():
            _check_cluster(client, key, cluster_id, known)


def _trust(ca_certs: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_certs)
    # Python 3.13 began to refuse CAs that Go, and so the provider, takes.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        # Only these texts are shown: others may hold what was sent.
        causes = list(_causes(error))
        untrusted = [it for it in causes if isinstance(it, ssl.SSLCertVerificationError)]
        if untrusted:
            raise LookUpError(
                "rancher.caCerts",
                f"the certificate of {url} does not fit: {untrusted[0].verify_message}; set the PEM of the CA that "
                f"signed it, and a url whose host it names",
            ) from None
        reasons = [it.strerror for it in causes if isinstance(it, OSError) and it.strerror]
        if any(isinstance(it, ssl.SSLError) for it in causes):
            reasons = ["no TLS is spoken there"]
        elif isinstance(error, httpx.TimeoutException):
            reasons = [f"no answer within {SECONDS:.0f} seconds"]
        reason = reasons[0] if reasons else type(error).__name__
        raise LookUpError(
            "rancher.url", f"{url} cannot be reached: {reason}; set the https:// address of a Rancher that runs"
        ) from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _clusters(client: httpx.Client) -> dict[str, dict[str, Any]]:
    answer = client.get("/v3/clusters")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise LookUpError("rancherToken", f"{client.base_url} does not accept it; {_ALLOWED}")
    found = _read(answer).get("data")
    if not isinstance(found, list):
        raise LookUpError(
            "rancher.url",
            f"{client.base_url} answers {answer.status_code} to {answer.request.url.path}, and not as Rancher does; "
            f"set the address under which Rancher's own page is",
        )
    return {str(it["id"]): it for it in found}


def _check_ttl(client: httpx.Client, hours: int) -> None:
    setting = _read(client.get(f"/v3/settings/{MAX_TTL}"))
    text = str(setting.get("value") or setting.get("default") or "")
    # 0 is no limit; and whoever may not read settings is told nothing.
    most = int(text) // MINUTES_PER_HOUR if text.isdecimal() else 0
    if 0 < most < hours:
        raise LookUpError(
            "rancher.tokenTtlHours",
            f"got {hours}; the server lets a token live {most} hours ({MAX_TTL}), and cuts a longer one without a "
            f"word, so that each `up` would make another; allowed is at most {most}",
        )


def _check_cluster(client: httpx.Client, key: str, cluster_id: str, known: Mapping[str, dict[str, Any]]) -> None:
    cluster = known.get(cluster_id)
    if cluster is None:
        seen = [f"{id_} ({it.get('name')})" for id_, it in sorted(known.items())]
        listed = ", ".join(seen[:SHOWN_MAX]) + (", ..." if len(seen) > SHOWN_MAX else "")
        raise LookUpError(
            key, f"'{cluster_id}' is no cluster that the user of rancherToken may see; he sees {listed or 'none'}"
        )
    if cluster.get("state") != "active":
        message = cluster.get("transitioningMessage")
        raise LookUpError(
            key,
            f"'{cluster_id}' is {cluster.get('state')} and not active{f': {message}' if message else ''}; "
            f"wait until Rancher shows it as active",
        )
    path = f"{_kubeconfig.rancher_server('', cluster_id)}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = client.post(path, json=_REVIEW)
    status = _read(answer).get("status")
    if not isinstance(status, dict):
        raise LookUpError(
            key, f"Rancher's proxy answers {answer.status_code} for '{cluster_id}'; see whether its API server runs"
        )
    if not status.get("allowed"):
        raise LookUpError(
            "rancherToken",
            f"its user may not do everything in cluster '{cluster_id}'; he must be Cluster Owner there",
        )


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
