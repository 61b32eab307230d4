"""
A remote secret holds tokens and no other credential.

A client certificate cannot be revoked, and istiod neither runs commands nor reads files to get a credential.
"""

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.remote_secrets import is_remote_secret
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, items, look, read_yaml

RULE = Rule(
    name="mcsps-access-remote-credential",
    description="A remote secret holds only kubeconfigs with a token, for servers that TLS verifies.",
    why=(
        "A client certificate cannot be revoked. Istiod neither runs commands nor reads files to get a "
        "credential. Anyone on the network path can read a token that is sent without TLS."
    ),
    limits=(
        "It does not see whether the CA in a kubeconfig is the server's, whether the token is valid, or what "
        "it allows; [`mcsps-access-remote-reader`](#mcsps-access-remote-reader) follows tokens of the stack "
        "to their roles."
    ),
    remedy=(
        "give each user of the kubeconfig only the token of an account that can only read the peer, without client "
        "certificate, password, command or file, and each cluster an https:// server with its CA; revoke the "
        "credential that was there"
    ),
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Check the users and the clusters of each kubeconfig; the findings never quote them."""
    for place, text in _kubeconfigs(resource) if is_remote_secret(resource) else ():
        document = read_yaml(text)
        if not isinstance(look(document, "users"), list):
            yield f"{resource} has no kubeconfig at {place}"
            continue
        for fault in (*_faults_of_users(document), *_faults_of_clusters(document)):
            yield f"{resource} has at {place} a kubeconfig {fault}"


def _kubeconfigs(secret: Resource) -> Iterator[tuple[str, object]]:
    for part in ("stringData", "data"):
        entries = look(secret.properties, part)
        for key, value in entries.items() if isinstance(entries, Mapping) else ():
            if value is not UNKNOWN:
                yield f"{part}.{key}", _decoded(value) if part == "data" else value


def _decoded(value: object) -> object:
    try:
        return base64.b64decode(str(value)).decode()
    except ValueError:
        return None


def _faults_of_users(document: object) -> Iterator[str]:
    users = items(look(document, "users"))
    if not users:
        yield "without users"
    for index, entry in enumerate(users):
        user = look(entry, "user")
        if not isinstance(user, Mapping) or user.keys() != {"token"}:
            yield f"whose users[{index}] has more or less than a token"
        elif not isinstance(user["token"], str) or not user["token"].strip():
            yield f"whose users[{index}] has an empty token"


def _faults_of_clusters(document: object) -> Iterator[str]:
    for index, entry in enumerate(items(look(document, "clusters"))):
        cluster = look(entry, "cluster")
        server, proxy = (look(cluster, key) for key in ("server", "proxy-url"))
        if look(cluster, "insecure-skip-tls-verify") not in (None, False):
            yield f"whose clusters[{index}] has insecure-skip-tls-verify, so anyone on the way can take the token"
        if not isinstance(server, str) or not server.lower().startswith("https://"):
            yield f"whose clusters[{index}] has a server without https://, so anyone on the way can read the token"
        for key, url in (("server", server), ("proxy-url", proxy)):
            if isinstance(url, str) and _has_password(url):
                yield f"whose clusters[{index}] has a credential in its {key}"


def _has_password(url: str) -> bool:
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        # No client can connect to it.
        return "@" in url


POLICY = resource_policy(RULE, check)
