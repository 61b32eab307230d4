"""Kubeconfigs as data: reads the user's, writes those for Rancher's proxy and for a peer's istiod."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import yaml

from errors import show
from mesh import addresses, pem

NO_CLUSTER = '{"apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "users": []}'
"""A valid kubeconfig without a cluster: a provider that has it asks nothing and waits for nothing."""
_CERTIFICATE, _KEY = "client-certificate-data", "client-key-data"
_INLINE = ("token", _CERTIFICATE, _KEY)
_FILES = {"tokenFile": "token", "client-certificate": _CERTIFICATE, "client-key": _KEY}
"""The keys that name a file, each with that of its content."""
_UNUSABLE = ("exec", "auth-provider", "username", "password")
_TOKEN = re.compile(r"[!-~]([ -~]*[!-~])?")
"""What can be in the header that carries a token."""
_FLATTEN = "`kubectl config view --raw --minify --flatten` writes the content"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The API server of a kubeconfig's current context."""

    server: str
    """URL of the API server."""
    ca_pem: str | None
    """PEM of the CA of the server's certificate; `None` means the machine's own trust store."""
    server_name: str | None = None
    """The name that the certificate must have, if it is not the host of `server`."""


def read_endpoint(text: str) -> Endpoint:
    """
    Read the API server of a kubeconfig's current context, and check that the context has all that a peer needs too.

    Raises:
        ValueError: The text is not a kubeconfig, has no current context, or the context is incomplete or has other
            credentials than inline ones. The message continues a sentence about the file and never quotes the text,
            which holds credentials.
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
    _check_user(_named(document, "users", "user", context.get("user")))
    if cluster.get("insecure-skip-tls-verify"):
        message = "has insecure-skip-tls-verify, so anyone could answer as the API server; set its CA instead"
        raise ValueError(message)
    if cluster.get("certificate-authority"):
        message = f"has the file certificate-authority instead of certificate-authority-data; {_FLATTEN}"
        raise ValueError(message)
    data = cluster.get("certificate-authority-data")
    name = cluster.get("tls-server-name")
    return Endpoint(
        server=_read_server(cluster.get("server")),
        ca_pem=_decode_ca(data) if data else None,
        server_name=str(name) if name else None,
    )


def _check_user(user: Mapping[str, object]) -> None:
    """
    Require inline credentials: a token, or a certificate and its key.

    The providers get the text alone, without the user's files and programs.
    """
    for key in _UNUSABLE:
        if user.get(key):
            message = (
                f"has a user with {key}, and only an inline token, or an inline certificate and key, work; use the "
                f"token of a service account"
            )
            raise ValueError(message)
    for key, data in _FILES.items():
        if user.get(key):
            message = f"has a user with the file {key} instead of {data}; {_FLATTEN}"
            raise ValueError(message)
    given = {key for key in _INLINE if isinstance(user.get(key), str) and user[key]}
    for key, other in ((_CERTIFICATE, _KEY), (_KEY, _CERTIFICATE)):
        if key in given and other not in given:
            message = f"has a user with {key} and without {other}; set both, or a token"
            raise ValueError(message)
    if not given:
        message = f"has a user without credentials; set a token that is not empty, or {_CERTIFICATE} and {_KEY}"
        raise ValueError(message)
    _check_content({key: str(user[key]) for key in given})


def _check_content(user: Mapping[str, str]) -> None:
    if "token" in user and not _TOKEN.fullmatch(user["token"]):
        message = (
            "has a user with a token that has a line break, a blank at an end or a letter outside ASCII; set the token "
            "alone"
        )
        raise ValueError(message)
    for key, kind in ((_CERTIFICATE, "CERTIFICATE"), (_KEY, "PRIVATE KEY")):
        if key in user and f"{kind}-----" not in _decode(user[key]):
            message = f"has a user with {key} that is not a PEM with a {kind} in base64; {_FLATTEN}"
            raise ValueError(message)


def _decode(data: object) -> str:
    try:
        return base64.b64decode(str(data)).decode()
    except ValueError:
        return ""


def _read_server(server: object) -> str:
    try:
        if isinstance(server, str) and server.startswith("https://") and server.isprintable():
            addresses.normalized(server)
            return server
    except ValueError:
        pass
    message = "has a server that is not an https:// URL with a host, without credentials, query and fragment"
    raise ValueError(message)


def _decode_ca(data: object) -> str:
    try:
        return "".join(map(pem.write_certificate, pem.read_certificates(_decode(data))))
    except ValueError:
        message = "has certificate-authority-data that is not a PEM of certificates in base64"
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
