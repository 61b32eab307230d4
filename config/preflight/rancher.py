"""
What is asked of a Rancher server before anything is registered: does it answer, is the token good, are the clusters up.

It only asks: no token is made, and nothing is changed. What it cannot find out is left to Rancher, which refuses later.
"""

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from config.base import NAMESPACE
from errors import UserError
from mesh import kubeconfigs

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

Connect = Callable[[str, str | None, str], httpx.Client]
"""Makes a client from URL, CA certificates and token."""


@dataclass(frozen=True, kw_only=True)
class WantedCluster:
    """How the config names a cluster: by Rancher's id, or else by the name that Rancher shows."""

    key: str
    """Of the access in the config."""
    id: str | None
    name: str | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the config says of a Rancher server."""

    url: str
    ca_certs: str | None
    token: str = field(repr=False)
    token_ttl_hours: int
    makes_users: bool
    """Whether a user, his role and his bindings are to be made."""
    clusters: Mapping[str, WantedCluster]
    """By the name that the config gives to each."""


def connect(url: str, ca_certs: str | None, token: str, *, timeout_seconds: float = SECONDS) -> httpx.Client:
    """Make a client for a Rancher server; sends nothing."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, verify=_trust(ca_certs))


def look_up(wanted: Wanted, connect: Connect = connect) -> Mapping[str, str]:
    """
    Query the server for all that the config names.

    Args:
        wanted: What the config says.
        connect: Makes the client.

    Returns:
        Rancher's id of each cluster, by the cluster's name in the config.

    Raises:
        UserError: What cannot be, and how to mend it. The token is never quoted.
    """
    with _client(connect, wanted.url, wanted.ca_certs, wanted.token) as client:
        known = _clusters(client)
        _check_ttl(client, wanted.token_ttl_hours)
        if wanted.makes_users:
            _check_makes_users(client)
        found = {name: _find(cluster, known) for name, cluster in wanted.clusters.items()}
        _check_apart(wanted.clusters, found)
        for name, cluster in wanted.clusters.items():
            _check_cluster(client, cluster.key, known[found[name]])
    return found


def find(url: str, ca_certs: str | None, token: str, cluster: WantedCluster) -> str:
    """
    Ask the server for the id of one cluster, and for nothing else.

    Raises:
        UserError: It cannot be asked, or has no such cluster. The token is never quoted.
    """
    with _client(connect, url, ca_certs, token) as client:
        return _find(cluster, _clusters(client))


def check_token(token: str) -> None:
    """
    Refuse what cannot be a token, before it is part of a request.

    Raises:
        UserError: It is none. It is never quoted.
    """
    if not _TOKEN.fullmatch(token):
        raise UserError(f"is no token; {_ALLOWED}", key=f"{NAMESPACE}:rancherToken")


@contextmanager
def _client(connect: Connect, url: str, ca_certs: str | None, token: str) -> Iterator[httpx.Client]:
    check_token(token)
    with _reaching(url), connect(url, ca_certs, token) as client:
        yield client


def _trust(ca_certs: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_certs)
    # Python 3.13 began to refuse CAs that Go, and so the provider, takes.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.InvalidURL, UnicodeError):
        raise UserError(
            f"{url} has a host that none can be; set the https:// address of a Rancher", key=f"{NAMESPACE}:rancher.url"
        ) from None
    except httpx.HTTPError as error:
        # Only these texts are shown: others may hold what was sent.
        causes = list(_causes(error))
        untrusted = [it for it in causes if isinstance(it, ssl.SSLCertVerificationError)]
        if untrusted:
            raise UserError(
                f"the certificate of {url} does not fit: {untrusted[0].verify_message}; set the PEM of the CA that "
                f"signed it, and a url whose host it names",
                key=f"{NAMESPACE}:rancher.caCerts",
            ) from None
        reasons = [it.strerror for it in causes if isinstance(it, OSError) and it.strerror]
        if any(isinstance(it, ssl.SSLError) for it in causes):
            reasons = ["no TLS is spoken there"]
        elif isinstance(error, httpx.TimeoutException):
            reasons = ["no answer in time"]
        reason = reasons[0] if reasons else type(error).__name__
        raise UserError(
            f"{url} cannot be reached: {reason}; set the https:// address of a Rancher that runs",
            key=f"{NAMESPACE}:rancher.url",
        ) from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _clusters(client: httpx.Client) -> dict[str, dict[str, Any]]:
    answer = client.get("/v3/clusters")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise UserError(f"{client.base_url} does not accept it; {_ALLOWED}", key=f"{NAMESPACE}:rancherToken")
    found = _read(answer).get("data")
    if not isinstance(found, list) or not all(isinstance(it, dict) and "id" in it for it in found):
        raise UserError(
            f"{client.base_url} answers {answer.status_code} to {answer.request.url.path}, and not as Rancher does; "
            f"set the address under which Rancher's own page is",
            key=f"{NAMESPACE}:rancher.url",
        )
    return {str(it["id"]): it for it in found}


def _check_ttl(client: httpx.Client, hours: int) -> None:
    setting = _read(client.get(f"/v3/settings/{MAX_TTL}"))
    text = str(setting.get("value") or setting.get("default") or "")
    # 0 is no limit; and whoever may not read settings is told nothing.
    most = int(text) if text.isdecimal() else 0
    if 0 < most < hours * MINUTES_PER_HOUR:
        raise UserError(
            f"got {hours}; the server lets a token live {most / MINUTES_PER_HOUR:g} hours ({MAX_TTL}), and cuts a "
            f"longer one without a word, so that each `up` would make another; allowed is at most that",
            key=f"{NAMESPACE}:rancher.tokenTtlHours",
        )


def _check_makes_users(client: httpx.Client) -> None:
    for kind in ("user", "roleTemplate", "globalRoleBinding"):
        # Rancher leaves out of the schemas what the user may not do.
        if "POST" not in (_read(client.get(f"/v3/schemas/{kind}")).get("collectionMethods") or ()):
            raise UserError(
                f"the user of rancherToken may not make a {kind}, as the peers' own user needs; take a token of a "
                f"Rancher administrator, or set it to false: peers then hold a token with all rights of rancherToken",
                key=f"{NAMESPACE}:rancher.peersUser",
            )


def _find(cluster: WantedCluster, known: Mapping[str, dict[str, Any]]) -> str:
    if cluster.id is not None:
        if cluster.id not in known:
            raise UserError(
                f"'{cluster.id}' is no cluster that the user of rancherToken may see; he sees {_list(known)}",
                key=f"{cluster.key}.clusterId",
            )
        return cluster.id
    named = {id_: it for id_, it in known.items() if it.get("name") == cluster.name}
    if len(named) != 1:
        count = f"{len(named)} clusters: {_list(named)}; set clusterId" if named else f"none; he sees {_list(known)}"
        raise UserError(
            f"of the clusters that the user of rancherToken may see, '{cluster.name}' is the name of {count}",
            key=f"{cluster.key}.clusterName",
        )
    return next(iter(named))


def _list(clusters: Mapping[str, dict[str, Any]]) -> str:
    seen = [f"{id_} ({it.get('name')})" for id_, it in sorted(clusters.items())]
    return (", ".join(seen[:SHOWN_MAX]) or "none") + (", ..." if len(seen) > SHOWN_MAX else "")


def _check_apart(clusters: Mapping[str, WantedCluster], found: Mapping[str, str]) -> None:
    named: dict[str, str] = {}
    for name, id_ in found.items():
        if id_ in named:
            raise UserError(
                f"'{id_}' is also that of cluster {named[id_]}; allowed is one of Rancher's clusters for each",
                key=clusters[name].key,
            )
        named[id_] = name


def _check_cluster(client: httpx.Client, key: str, cluster: dict[str, Any]) -> None:
    cluster_id = str(cluster["id"])
    if cluster.get("state") != "active":
        message = cluster.get("transitioningMessage")
        raise UserError(
            f"'{cluster_id}' is {cluster.get('state')} and not active{f': {message}' if message else ''}; "
            f"wait until Rancher shows it as active",
            key=key,
        )
    path = f"{kubeconfigs.rancher_server('', cluster_id)}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = client.post(path, json=_REVIEW)
    status = _read(answer).get("status")
    if not isinstance(status, dict):
        raise UserError(
            f"Rancher's proxy answers {answer.status_code} for '{cluster_id}'; see whether its API server runs",
            key=key,
        )
    if not status.get("allowed"):
        raise UserError(
            f"its user may not do everything in cluster '{cluster_id}'; he must be Cluster Owner there",
            key=f"{NAMESPACE}:rancherToken",
        )


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
