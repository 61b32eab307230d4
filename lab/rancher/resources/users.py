"""Users with passwords, so that tokens can belong to users with fewer rights than the administrator."""

from lab.rancher import errors, hashing, schemas, tokens
from lab.rancher.resources.base import Resources
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

_HASH = "hash"
_MIN_LENGTH = 12
_SET_PASSWORD = "setpassword"  # noqa: S105 - the name of an action


class Users(Resources):
    """Users; answers never contain a password."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the users."""
        super().__init__(rancher, Kind.USER, schemas.USER)

    async def prepare(self, who: Identity, document: Document) -> None:
        """Refuse a user without a unique name or a valid password."""
        username = document.get("username")
        if not username:
            raise errors.ApiError(500, "ServerError", "invalid username")
        if any(it["username"] == username for it in self.rancher.store.all(Kind.USER)):
            raise errors.invalid("NotUnique", "Username is already in use.", "username")
        await super().prepare(who, document)
        document["principalIds"] = [f"local://{document['id']}"]
        _hash(document)

    def actions(self, who: Identity, document: Document) -> tuple[str, ...]:
        """Return the action that sets a password, for users who can change the user."""
        return (_SET_PASSWORD,) if self.rancher.rights.changes(who.user, self.kind, document) else ()

    async def act(self, who: Identity, name: str, action: str, body: Document) -> Document | None:
        """Set a new password, and return the user."""
        if action != _SET_PASSWORD:
            return await super().act(who, name, action, body)
        if not body.get("newPassword"):
            raise errors.invalid("MissingRequired", "", "newPassword")
        return await self.update(who, name, {"password": body["newPassword"]}, replaces=False)

    async def check_update(self, old: Document, new: Document) -> None:  # noqa: ARG002 - the new one says all
        """Hash a new password."""
        if new.get("password"):
            _hash(new)

    async def before_delete(self, document: Document) -> None:
        """Revoke the user's tokens."""
        for token in self.rancher.tokens.of_user(document["id"]):
            self.rancher.tokens.revoke(token["id"])


def login(rancher: Rancher, body: Document) -> tuple[Document, str]:
    """Return the token of a new session, and its value; a setting, and not the user, limits its lifetime."""
    for user in rancher.store.all(Kind.USER):
        if user["username"] == body.get("username") and user.get(_HASH):
            if not hashing.is_password(str(body.get("password")), user[_HASH]) or not user.get("enabled", True):
                break
            ttl = rancher.tokens.millis(tokens.SESSION_TTL)
            request = tokens.Request(user["id"], str(body.get("description") or ""), ttl, is_derived=False)
            return rancher.tokens.create(request)
    raise errors.ApiError(401, "Unauthorized", "authentication failed")


def _hash(document: Document) -> None:
    password = str(document.pop("password", ""))
    if len(password) < _MIN_LENGTH:
        message = f"Password must be at least {_MIN_LENGTH} characters"
        raise errors.invalid("InvalidBodyContent", message)
    document[_HASH] = hashing.hash_password(password)
