"""Kubeconfigs as data: reads the user's, writes those for Rancher's proxy and for a peer's istiod."""

import base64
from dataclasses import dataclass
from typing import cast

import yaml

from errors import show

NO_CLUSTER = '{"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}'
"""A valid kubeconfig without a cluster: a provider that has it asks nothing and waits for nothing."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The API server of a kubeconfig's current context."""

    server: str
    """URL of the API server."""
    ca_pem: str | None
    """PEM of the CA of the server's certificate; `None` means the machine's own trust store."""


def read_endpoint(text: str) -> Endpoint:
    """
    Read the API server of a kubeconfig's current context.

    Raises:
        ValueError: The text is not a kubeconfig, has no current context, or the context is incomplete. The message
            continues a sentence about the file and never quotes the text, which holds credentials.
    """
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        message = "is not valid YAML"
        raise ValueError(message) from None
    if not isinstance(document, dict) or document.get("kind") != "Config":
        message = "is not a kubeconfig: `kind: Config` is missing"
        raise ValueError(message)
    current = document.get("current-context")
    if not current:
        message = "has no current-context; `kubectl config use-context` sets one"
        raise ValueError(message)
    context = _named(document, "contexts", "context", current)
    cluster = _named(document, "clusters", "cluster", context.get("cluster"))
    _named(document, "users", "user", context.get("user"))
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith("https://"):
        message = "has a server that is not an https:// URL"
        raise ValueError(message)
    data = cluster.get("certificate-authority-data")
    return Endpoint(server=server, ca_pem=_decode_ca(data) if data else None)


def _decode_ca(data: object) -> str:
    try:
        return base64.b64decode(str(data)).decode()
    except ValueError:
        message = "has certificate-authority-data that is not a PEM in base64"
        raise ValueError(message) from None


def _named(document: dict[str, object], section: str, kind: str, name: object) -> dict[str, object]:
    entries = document.get(section)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(kind), dict):
            return cast("dict[str, object]", entry[kind])
    message = f"refers to {kind} {show(name)}, which it does not define"
    raise ValueError(message)


def render_token_kubeconfig(*, name: str, server: str, ca_pem: str | None, token: str) -> str:
    """
    Write a kubeconfig with one cluster, one inline token, and `name` for cluster, user and context.

    Istio accepts only inline credentials in a remote secret, so there are neither commands nor files.
    """
    cluster = {"server": server}
    if ca_pem:
        cluster["certificate-authority-data"] = base64.b64encode(ca_pem.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def rancher_server(url: str, cluster_id: str) -> str:
    """The URL under which Rancher's proxy serves a cluster's API."""
    return f"{url}/k8s/clusters/{cluster_id}"
