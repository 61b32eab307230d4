"""Tokens: users can see only their own, and only the answer to the creation contains a token's value."""

from collections.abc import Mapping

from lab.rancher import schemas, tokens
from lab.rancher.errors import ApiError
from lab.rancher.resources.base import Resources
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

SECRET = "secret"  # noqa: S105 - the name of a field
"""The field with the value for the answer of `create`; it is never stored."""


class TokenResources(Resources):
    """The tokens of the requesting user."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the tokens."""
        super().__init__(rancher, Kind.TOKEN, schemas.TOKEN)

    async def list(self, who: Identity, filters: Mapping[str, str]) -> list[Document]:
        """Return the user's tokens."""
        shown = (self._shown(who, it) for it in self.rancher.tokens.of_user(who.user))
        return [
            it
            for it in shown
            if all(str(it.get(key)) == value for key, value in filters.items() if key in self.type.fields)
        ]

    async def get(self, who: Identity, name: str) -> Document:
        """Return one token of the user."""
        token = self.rancher.store.get(Kind.TOKEN, name)
        if token is None:
            raise ApiError(404, "NotFound", f'tokens.management.cattle.io "{name}" not found')
        if token["userId"] != who.user:
            raise ApiError(404, "NotFound", f"{name} not found")
        return self._shown(who, token)

    async def create(self, who: Identity, body: Document) -> Document:
        """Create a token with the user's rights, limited to its ttl and its cluster."""
        ttl = body.get("ttl") or 0
        if not isinstance(ttl, int):
            raise ApiError(
                422, "InvalidFormat", "json: cannot unmarshal string into Go struct field Token.ttl of type int64"
            )
        request = tokens.Request(who.user, str(body.get("description") or ""), ttl, str(body.get("clusterId") or ""))
        document, value = self.rancher.tokens.create(request)
        # Rancher computes the expiry after its answer.
        return self._shown(who, document) | {"expiresAt": "", SECRET: value}

    async def delete(self, who: Identity, name: str) -> Document | None:
        """Revoke a token at once; the token of the current session cannot be revoked."""
        token = await self.get(who, name)
        if token["current"]:
            raise ApiError(400, "ServerError", "Cannot delete token for current session. Use logout instead")
        self.rancher.tokens.revoke(name)
        return None

    def _shown(self, who: Identity, token: Document) -> Document:
        is_current = token["id"] == who.token and not token["isDerived"]
        return token | {"current": is_current, "expired": self.rancher.tokens.is_expired(token), "enabled": True}
