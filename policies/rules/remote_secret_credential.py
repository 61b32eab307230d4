"""
A remote secret holds tokens and no other credential.

A client certificate cannot be revoked, and istiod neither runs commands nor reads files to get a credential.
"""

import base64
from collections.abc import Iterator, Mapping

from policies.lib.policy import Parameters, Rule, resource_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, look, read_yaml

LABEL = "istio/multiCluster"
"""The label by which istiod finds remote secrets."""
RULE = Rule(
    name="mcsps-access-remote-credential",
    description="A remote secret holds kubeconfigs with a token, and no other credential.",
    remedy=(
        "give each user of the kubeconfig only the token of an account that can only read the peer, without client "
        "certificate, password, command or file; revoke the credential that was there"
    ),
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Check the users of each kubeconfig; the findings never quote them."""
    if not resource.is_object("core/Secret") or look(resource.properties, "metadata", "labels", LABEL) != "true":
        return
    for place, text in _kubeconfigs(resource):
        users = _users(text)
        if users is None:
            yield f"{resource} has no kubeconfig at {place}"
        for index, user in enumerate(users or ()):
            if not isinstance(user, Mapping) or user.keys() != {"token"}:
                yield f"{resource} has at {place} a kubeconfig whose users[{index}] has more or less than a token"


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


def _users(text: object) -> list[object] | None:
    """The credentials of each user of a kubeconfig; None if the text is not a kubeconfig."""
    users = look(read_yaml(text), "users")
    return [look(user, "user") for user in users] if isinstance(users, list) else None


POLICY = resource_policy(RULE, check)
