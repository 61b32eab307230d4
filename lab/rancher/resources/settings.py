"""The server's settings; those that the start sets are read-only."""

from lab.rancher import errors, schemas
from lab.rancher.resources.base import Resources
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

_FIXED = frozenset({"cacerts", "server-url", "server-version"})


class SettingResources(Resources):
    """The settings of the server, by name."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the settings."""
        super().__init__(rancher, Kind.SETTING, schemas.SETTING)

    async def update(self, who: Identity, name: str, body: Document, *, replaces: bool) -> Document:  # noqa: ARG002 - there is one field
        """Set a value; an empty one restores the default."""
        setting = await self.get(who, name)
        if not self.rancher.rights.is_admin(who.user):
            raise errors.forbidden(who.user, "update", self.kind, name)
        if name in _FIXED:
            raise errors.ApiError(
                405, "MethodNotAllow", f"{name} is readOnly because its value is from environment variable"
            )
        value = str(body.get("value") or "")
        changed = setting | {
            "value": value or setting["default"],
            "customized": bool(value),
            "source": "db" if value else "default",
        }
        self.rancher.store.put(self.kind, changed)
        return changed
