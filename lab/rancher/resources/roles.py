"""Role templates, and their bindings to users in clusters and projects."""

from lab.rancher import errors, schemas
from lab.rancher.resources.base import Resources
from lab.rancher.schemas import Type
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity


class RoleTemplates(Resources):
    """Role templates, which are sets of rules."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the role templates."""
        super().__init__(rancher, Kind.ROLE_TEMPLATE, schemas.ROLE_TEMPLATE)

    async def prepare(self, who: Identity, document: Document) -> None:
        """Refuse a template without a name, or that inherits from a missing one."""
        if not document.get("name"):
            raise errors.invalid("MissingRequired", "", "name")
        await super().prepare(who, document)
        await self.check_update({}, document)

    async def check_update(self, old: Document, new: Document) -> None:
        """Refuse inheritance from a missing template, and changes of builtin templates."""
        if old.get("builtin"):
            message = "not allowed to modify builtin RoleTemplate"
            raise errors.ApiError(403, "Forbidden", message)
        for name in new.get("roleTemplateIds") or ():
            if self.rancher.store.get(Kind.ROLE_TEMPLATE, name) is None:
                raise errors.missing(Kind.ROLE_TEMPLATE, name)

    async def before_delete(self, document: Document) -> None:
        """Refuse to delete builtin templates."""
        if document.get("builtin"):
            message = "not allowed to delete builtin RoleTemplate"
            raise errors.ApiError(403, "Forbidden", message)


class Bindings(Resources):
    """Bindings of a role template to a user, in a cluster or in a project."""

    def __init__(self, rancher: Rancher, kind: Kind, of: Type, scope: tuple[str, Kind]) -> None:
        """Serve bindings whose field `scope` names their cluster or project."""
        super().__init__(rancher, kind, of)
        self._field, self._scope = scope

    async def prepare(self, who: Identity, document: Document) -> None:
        """Refuse a binding without a user, a role or a scope; generate an id that contains its scope."""
        where = document.get(self._field)
        if not where:
            raise errors.invalid("MissingRequired", "", self._field)
        if self.rancher.store.get(self._scope, where) is None:
            raise errors.missing(self._scope, str(where).rpartition(":")[2])
        await self.check_update({}, document)
        given = document.get("name")
        await super().prepare(who, document)
        own = given or document["id"]
        document |= {"id": f"{str(where).rpartition(':')[2]}:{own}", "name": own}

    async def check_update(self, old: Document, new: Document) -> None:  # noqa: ARG002 - the new one says all
        """Refuse a binding without a user or a role; derive each of the user's two names from the other."""
        user, principal = new.get("userId"), new.get("userPrincipalId")
        if not any((user, principal, new.get("groupId"), new.get("groupPrincipalId"))):
            message = "must target a user [userId]/[userPrincipalId] OR a group [groupId]/[groupPrincipalId]"
            raise errors.invalid("InvalidBodyContent", message)
        role = self.rancher.store.get(Kind.ROLE_TEMPLATE, str(new.get("roleTemplateId") or ""))
        if role is None:
            raise errors.invalid("MissingRequired", "", "roleTemplateId")
        if role.get("locked"):
            raise errors.invalid("InvalidState", "Role is locked and cannot be assigned")
        if principal and not user:
            new["userId"] = str(principal).removeprefix("local://")
        if user and not principal:
            new["userPrincipalId"] = f"local://{user}"


def bindings(rancher: Rancher) -> tuple[Resources, ...]:
    """Return the resources for cluster and project bindings."""
    return (
        Bindings(rancher, Kind.CLUSTER_BINDING, schemas.CLUSTER_BINDING, ("clusterId", Kind.CLUSTER)),
        Bindings(rancher, Kind.PROJECT_BINDING, schemas.PROJECT_BINDING, ("projectId", Kind.PROJECT)),
    )
