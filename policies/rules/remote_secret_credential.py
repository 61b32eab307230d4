"""
A remote secret holds tokens and nothing else that opens a cluster.

A client certificate cannot be taken back before it ends, and istiod runs no command and opens no file for a credential.
"""

import base64
from collections.abc import Iterator, Mapping

from ._policy import Parameters, Rule, resource_policy
from ._resources import Resource
from ._values import UNKNOWN, look, read_yaml

LABEL = "istio/multiCluster"
"""By which istiod knows a remote secret."""
RULE = Rule(
    name="mcsps-access-remote-credential",
    description="A remote secret holds kubeconfigs with a token, and no other credential.",
    remedy=(
        "give each user of the kubeconfig the token of an account that reads the peer and no more, and neither client "
        "certificate, password, command nor file beside it; take back what stood there"
    ),
)


def check(resource: Resource, _: Parameters) -> Iterator[str]:
    """Open each kubeconfig and look at its users; quote nothing of them."""
    if not resource.is_object("core/Secret") or look(resource.properties, "metadata", "labels", LABEL) != "true":
        return
    for place, text in _kubeconfigs(resource):
        users = _users(text)
        if users is None:
            yield f"{resource} has at {place} what is no kubeconfig"
        for index, user in enumerate(users or ()):
            if not isinstance(user, Mapping) or user.keys() != {"token"}:
                yield f"{resource} has at {place} a kubeconfig whose users[{index}] has other than a token alone"


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
    """What each user of a kubeconfig has; None if it is none."""
    users = look(read_yaml(text), "users")
    return [look(user, "user") for user in users] if isinstance(users, list) else None


POLICY = resource_policy(RULE, check)
