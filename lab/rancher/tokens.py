"""
The creation, check, expiry and revocation of tokens.

A token is `<id>:<key>`. The key is returned once and stored as a hash. A token with a cluster is valid only for that
cluster's paths: `/k8s/clusters/<id>` and `/v3/cluster(s)/<id>`.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.authentication import BaseUser

from lab.rancher import hashing, metadata, names
from lab.rancher.store import Document, Kind, Store

_HASH = "hash"
_MINUTE_MILLIS = 60_000
NEVER = -1

MAX_TTL = "auth-token-max-ttl-minutes"
DEFAULT_TTL = "auth-token-default-ttl-minutes"
KUBECONFIG_MAX_TTL = "kubeconfig-max-token-ttl-minutes"
KUBECONFIG_DEFAULT_TTL = "kubeconfig-default-token-ttl-minutes"
SESSION_TTL = "auth-user-session-ttl-minutes"


@dataclass(frozen=True)
class Identity(BaseUser):
    """The user of a request, and the token of the request."""

    user: str
    username: str
    principals: tuple[str, ...]
    token: str
    """The token's id."""

    @property
    def is_authenticated(self) -> bool:
        """Whether the request has a user, which is always so."""
        return True

    @property
    def display_name(self) -> str:
        """The user's display name."""
        return self.username

    @property
    def identity(self) -> str:
        """The user's id."""
        return self.user

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that every user of Rancher is in."""
        return ("system:authenticated", "system:cattle:authenticated")


@dataclass(frozen=True)
class Request:
    """The properties of a new token."""

    user: str
    description: str = ""
    ttl_millis: int = 0
    """The requested ttl: 0 for the server's default, a negative number for no expiry."""
    cluster: str = ""
    is_derived: bool = True
    labels: tuple[tuple[str, str], ...] = ()
    prefix: str = "token-"
    settings: tuple[str, str] = (MAX_TTL, DEFAULT_TTL)


def clamp_ttl(ttl: int, most: int, default: int) -> int:
    """
    Return the ttl of a token in milliseconds, with -1 for no expiry: pure.

    A ttl of 0 is the default, and a default of 0 is the maximum. A longer ttl is reduced to the maximum without an
    error, as in Rancher.
    """
    most = most if most > 0 else NEVER
    wanted = ttl or default or most
    if most == NEVER:
        return wanted
    return most if wanted < 0 else min(wanted, most)


def read_credentials(authorization: str, cookie: str = "") -> str:
    """Return the token of a request, from its Authorization header (Bearer or Basic) or its cookie: pure."""
    scheme, _, value = authorization.strip().partition(" ")
    if not authorization.strip():
        return cookie
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def cluster_of(path: str) -> str:
    """Return the id of the cluster in a path; empty without one: pure."""
    parts = path.split("/")
    leads = len(parts) > 3 and parts[1] in {"k8s", "v3"} and parts[2] in {"clusters", "cluster", "proxy"}  # noqa: PLR2004
    return parts[3] if leads else ""


class Tokens:
    """The tokens in a store."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        """Use `now` as the clock."""
        self._store = store
        self._now = now

    def create(self, request: Request) -> tuple[Document, str]:
        """Return a new token, and its value, which is available only here."""
        key = names.generate_key()
        now = self._now()
        most, default = (self.millis(name) for name in request.settings)
        ttl = clamp_ttl(request.ttl_millis, most, default) if request.is_derived else request.ttl_millis
        document = metadata.new(now, None)
        name = names.generate(request.prefix)
        document |= {
            "authProvider": "local",
            "clusterId": request.cluster or None,
            "description": request.description,
            "expiresAt": metadata.timestamp(now + timedelta(milliseconds=ttl)) if ttl > 0 else "",
            "id": name,
            "isDerived": request.is_derived,
            "name": name,
            "ttl": ttl,
            "userId": request.user,
            "userPrincipal": f"local://{request.user}",
            _HASH: hashing.hash_key(key),
        }
        document["labels"] |= {names.TOKEN_USER: request.user, **dict(request.labels)}
        self._store.put(Kind.TOKEN, document)
        return document, f"{name}:{key}"

    def authenticate(self, credentials: str, path: str) -> Identity | None:
        """Return the user of these credentials; None if they are unknown, expired or not valid for `path`."""
        name, _, key = credentials.partition(":")
        token = self._store.get(Kind.TOKEN, name) if name and key else None
        if token is None or not hashing.is_key(key, token[_HASH]) or self.is_expired(token):
            return None
        if token["clusterId"] and token["clusterId"] != cluster_of(path):
            return None
        user = self._store.get(Kind.USER, token["userId"])
        if user is None or not user.get("enabled", True):
            return None
        return Identity(user["id"], user["username"], tuple(user["principalIds"]), name)

    def is_expired(self, token: Document) -> bool:
        """Return whether a token has expired."""
        ends = token["expiresAt"]
        return bool(ends) and self._now() >= datetime.fromisoformat(ends)

    def of_user(self, user: str) -> list[Document]:
        """Return all tokens of a user, including expired ones."""
        return [it for it in self._store.all(Kind.TOKEN) if it["userId"] == user]

    def revoke(self, name: str) -> None:
        """Remove a token, which is then no longer valid."""
        self._store.remove(Kind.TOKEN, name)

    def millis(self, setting: str) -> int:
        """Return the value of a setting in minutes as milliseconds."""
        document = self._store.get(Kind.SETTING, setting)
        return int(document["value"] or document["default"]) * _MINUTE_MILLIS if document else 0
