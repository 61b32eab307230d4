"""The classes that serve the types of the management API."""

from collections.abc import Mapping

from lab.rancher import errors, schemas
from lab.rancher.resources.base import Resources
from lab.rancher.resources.clusters import Clusters
from lab.rancher.resources.projects import Projects
from lab.rancher.resources.roles import RoleTemplates, bindings
from lab.rancher.resources.settings import SettingResources
from lab.rancher.resources.tokens import TokenResources
from lab.rancher.resources.users import Users
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity


class GlobalBindings(Resources):
    """Bindings of a user to a global role: `admin` has all rights, and `user` alone has almost none."""

    async def prepare(self, who: Identity, document: Document) -> None:
        """Refuse a binding of a missing user."""
        if self.rancher.store.get(Kind.USER, str(document.get("userId"))) is None:
            raise errors.missing(Kind.USER, str(document.get("userId")))
        if self.rancher.store.get(Kind.GLOBAL_ROLE, str(document.get("globalRoleId") or "")) is None:
            raise errors.missing(Kind.GLOBAL_ROLE, str(document.get("globalRoleId") or ""))
        given = document.get("name")
        await super().prepare(who, document)
        document |= {"id": given, "name": given} if given else {}


def of_management(rancher: Rancher) -> Mapping[str, Resources]:
    """Return the resources by the name of their type."""
    every = (
        Clusters(rancher),
        GlobalBindings(rancher, Kind.GLOBAL_BINDING, schemas.GLOBAL_BINDING),
        Resources(rancher, Kind.GLOBAL_ROLE, schemas.GLOBAL_ROLE),
        Projects(rancher),
        Resources(rancher, Kind.REGISTRATION_TOKEN, schemas.REGISTRATION_TOKEN),
        RoleTemplates(rancher),
        SettingResources(rancher),
        TokenResources(rancher),
        Users(rancher),
        *bindings(rancher),
    )
    return {it.type.name: it for it in every}
