"""
Queries a Rancher server before anything is registered: the token's rights, and the state of the clusters.

The queries change nothing and create no token. What they cannot find out, Rancher refuses during the update.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from config.base import NAMESPACE
from config.preflight.rancher_connection import connect, reaching
from errors import UserError, show
from mesh import kubeconfigs

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
_ALLOWED = "allowed: a Rancher API token without scope that is not expired, such as token-abc12:..."
_SET_TOKEN = f"Create one in Rancher, and run: pulumi config set --secret {NAMESPACE}:rancherToken"

Connect = Callable[[str, str | None, str], httpx.Client]
"""Creates a client from URL, CA certificates and token."""


@dataclass(frozen=True, kw_only=True)
class ClusterQuery:
    """
    A cluster of the config, by Rancher's id or by its name in Rancher.

    Attributes:
        key: The config key of the cluster's access.
        id: Rancher's id, if the config has it.
        name: The name in Rancher, if the config has it.
        is_away: Whether the cluster is away, so that only its id matters.
    """

    key: str
    id: str | None
    name: str | None
    is_away: bool = False


@dataclass(frozen=True, kw_only=True)
class Query:
    """
    What the config requires of a Rancher server.

    Attributes:
        url: The address of the server.
        ca_certs: PEM of the CA of its certificate; `None` means the machine's trust store.
        token: The API token.
        token_ttl_hours: The lifetime of the tokens that the program creates.
        creates_users: Whether the program creates users, roles and bindings.
        clusters: The clusters, by their names in the config.
        roles: The description of each role template that the program creates, by its name.
    """

    url: str
    ca_certs: str | None
    token: str = field(repr=False)
    token_ttl_hours: int
    creates_users: bool
    clusters: Mapping[str, ClusterQuery]
    roles: Mapping[str, str] = field(default_factory=dict)


def look_up(query: Query, connect: Connect = connect) -> Mapping[str, str]:
    """
    Check all requirements of the config.

    Args:
        query: The requirements.
        connect: Creates the client.

    Returns:
        Rancher's id of each cluster, by the cluster's name in the config.

    Raises:
        UserError: A requirement is not met. The message never quotes the token.
    """
    with _client(connect, query.url, query.ca_certs, query.token) as client:
        known = _clusters(client)
        _check_ttl(client, query.token_ttl_hours)
        if query.creates_users:
            _check_creates_users(client)
            _check_roles(client, query.roles)
        found = {name: _find(cluster, known) for name, cluster in query.clusters.items()}
        _check_distinct(query.clusters, found)
        for name, cluster in query.clusters.items():
            if cluster.is_away:
                continue
            _check_cluster(client, cluster.key, known[found[name]])
    return found


def find(url: str, ca_certs: str | None, token: str, cluster: ClusterQuery) -> str:
    """
    Look up the id of one cluster, without any other check.

    Raises:
        UserError: The server cannot be queried, or has no such cluster. The message never quotes the token.
    """
    with _client(connect, url, ca_certs, token) as client:
        return _find(cluster, _clusters(client))


def check_token(token: str) -> None:
    """
    Refuse a text that does not have the form of a token, before it becomes part of a request.

    Raises:
        UserError: The text is not a token. The message never quotes it.
    """
    if not _TOKEN.fullmatch(token):
        raise UserError(f"not a Rancher API token; {_ALLOWED}", _SET_TOKEN, key=f"{NAMESPACE}:rancherToken")


@contextmanager
def _client(connect: Connect, url: str, ca_certs: str | None, token: str) -> Iterator[httpx.Client]:
    check_token(token)
    with reaching(url), connect(url, ca_certs, token) as client:
        yield client


def _clusters(client: httpx.Client) -> dict[str, dict[str, Any]]:
    answer = client.get("/v3/clusters")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise UserError(f"refused by {client.base_url}; {_ALLOWED}", _SET_TOKEN, key=f"{NAMESPACE}:rancherToken")
    found = _read(answer).get("data")
    if not isinstance(found, list) or not all(isinstance(it, dict) and "id" in it for it in found):
        raise UserError(
            f"got {client.base_url}, which answers {answer.status_code} to {answer.request.url.path}, but not as a "
            f"Rancher server does",
            "Set the address of Rancher's user interface",
            key=f"{NAMESPACE}:rancher.url",
        )
    return {str(it["id"]): it for it in found}


def _check_ttl(client: httpx.Client, hours: int) -> None:
    setting = _read(client.get(f"/v3/settings/{MAX_TTL}"))
    text = str(setting.get("value") or setting.get("default") or "")
    # 0 means no limit. A user without the right to read settings gets no value.
    most = int(text) if text.isdecimal() else 0
    if 0 < most < hours * MINUTES_PER_HOUR:
        # The server would silently shorten the token, and each `up` would replace it.
        raise UserError(
            f"got {hours}; allowed: at most {most / MINUTES_PER_HOUR:g}, the limit of the server ({MAX_TTL})",
            "Lower the value, or raise the limit in Rancher",
            key=f"{NAMESPACE}:rancher.tokenTtlHours",
        )


def _check_creates_users(client: httpx.Client) -> None:
    for kind in ("user", "roleTemplate", "globalRoleBinding"):
        # Rancher's schemas list only what the user can do.
        if "POST" not in (_read(client.get(f"/v3/schemas/{kind}")).get("collectionMethods") or ()):
            raise UserError(
                f"got true, but the user of rancherToken cannot create a {kind}",
                "Use a token of a Rancher administrator, or set it to false: peers then hold a token with all rights "
                "of rancherToken",
                key=f"{NAMESPACE}:rancher.peersUser",
            )


def _check_roles(client: httpx.Client, roles: Mapping[str, str]) -> None:
    for name, description in roles.items():
        found = _read(client.get("/v3/roleTemplates", params={"name": name})).get("data")
        for role in found if isinstance(found, list) else ():
            if isinstance(role, dict) and role.get("name") == name and role.get("description") != description:
                # The hyphens in a mesh id and a cluster's name do not show where one ends.
                raise UserError(
                    f"with a cluster's name it results in the Rancher user '{name}', whose role belongs to another "
                    f"stack ({show(role.get('description'))}); allowed: an id that results in other names",
                    "Set another mesh id, or rename the cluster",
                    key=f"{NAMESPACE}:mesh.id",
                )


def _find(cluster: ClusterQuery, known: Mapping[str, dict[str, Any]]) -> str:
    if cluster.id is not None:
        if cluster.id not in known and not cluster.is_away:
            raise UserError(
                f"got {show(cluster.id)}; allowed: a cluster that the user of rancherToken can see, which are "
                f"{_list(known)}",
                key=f"{cluster.key}.clusterId",
            )
        return cluster.id
    named = {id_: it for id_, it in known.items() if it.get("name") == cluster.name}
    if not named:
        raise UserError(
            f"got {show(cluster.name)}; allowed: a cluster that the user of rancherToken can see, which are "
            f"{_list(known)}",
            key=f"{cluster.key}.clusterName",
        )
    if len(named) > 1:
        raise UserError(
            f"got {show(cluster.name)}, the name of {len(named)} clusters: {_list(named)}",
            "Set clusterId instead",
            key=f"{cluster.key}.clusterName",
        )
    return next(iter(named))


def _list(clusters: Mapping[str, dict[str, Any]]) -> str:
    seen = [f"{id_} ({it.get('name')})" for id_, it in sorted(clusters.items())]
    return (", ".join(seen[:SHOWN_MAX]) or "none") + (", ..." if len(seen) > SHOWN_MAX else "")


def _check_distinct(clusters: Mapping[str, ClusterQuery], found: Mapping[str, str]) -> None:
    named: dict[str, str] = {}
    for name, id_ in found.items():
        if id_ in named:
            raise UserError(
                f"got '{id_}', which cluster {named[id_]} has too; allowed: a different Rancher cluster for each entry",
                key=clusters[name].key,
            )
        named[id_] = name


def _check_cluster(client: httpx.Client, key: str, cluster: dict[str, Any]) -> None:
    cluster_id = str(cluster["id"])
    if cluster.get("state") != "active":
        message = cluster.get("transitioningMessage")
        raise UserError(
            f"got '{cluster_id}', which is {cluster.get('state')}{f': {message}' if message else ''}",
            "Wait until Rancher shows it as active. Or set "
            f"{key.removesuffix('.access')}.away to true, and run the update again to move the traffic to "
            "other clusters",
            key=key,
        )
    path = f"{kubeconfigs.rancher_server('', cluster_id)}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = client.post(path, json=_REVIEW)
    status = _read(answer).get("status")
    if not isinstance(status, dict):
        raise UserError(
            f"got '{cluster_id}', for which Rancher's proxy answers {answer.status_code}",
            "Check whether the cluster's API server runs",
            key=key,
        )
    if not status.get("allowed"):
        raise UserError(
            f"its user does not have all rights in cluster '{cluster_id}'",
            "Make the user Cluster Owner there, or use another user's token",
            key=f"{NAMESPACE}:rancherToken",
        )


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
