"""The requests that all resource types support, on documents in the store."""

from collections.abc import Mapping

from lab.rancher import errors, metadata, names
from lab.rancher.errors import ApiError
from lab.rancher.schemas import Type
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

METADATA = ("annotations", "labels")


class Resources:
    """
    Documents of one kind.

    A subclass adds what is special: its ids, its checks and its actions.
    """

    def __init__(self, rancher: Rancher, kind: Kind, of: Type) -> None:
        """Serve the documents of `kind` as resources of the type `of`."""
        self.rancher = rancher
        self.kind = kind
        self.type = of

    async def list(self, who: Identity, filters: Mapping[str, str]) -> list[Document]:
        """Return the documents that the user can see and the filters match; filters on unknown fields are ignored."""
        return [
            it
            for it in self.rancher.store.all(self.kind)
            if self.rancher.rights.sees(who.user, self.kind, it)
            and all(str(it.get(key)) == value for key, value in filters.items() if key in self.type.fields)
        ]

    async def get(self, who: Identity, name: str) -> Document:
        """Return one document that the user can see."""
        document = self.rancher.store.get(self.kind, name)
        if document is None:
            if self.rancher.rights.is_admin(who.user):
                raise errors.missing(self.kind, name.rpartition(":")[2])
            raise errors.forbidden(who.user, "get", self.kind, name)
        if not self.rancher.rights.sees(who.user, self.kind, document):
            raise errors.forbidden(who.user, "get", self.kind, name)
        return document

    async def create(self, who: Identity, body: Document) -> Document:
        """Create a document, and return it."""
        document = metadata.new(self.rancher.now(), who.user) | dict(self.type.defaults)
        document |= {
            key: value for key, value in body.items() if key in self.type.updatable() | set(self.type.is_fixed)
        }
        for part in METADATA:
            document[part] = metadata.merge({}, body.get(part))
        document["labels"][names.CREATOR] = names.NORMAN
        await self.prepare(who, document)
        if not self.rancher.rights.changes(who.user, self.kind, document):
            raise errors.forbidden(who.user, "create", self.kind, document["id"].rpartition(":")[0] + ":")
        if self.rancher.store.get(self.kind, document["id"]) is not None:
            message = f'{self.kind}.{errors.GROUP} "{document["id"]}" already exists'
            raise ApiError(409, "AlreadyExists", message)
        self.rancher.store.put(self.kind, document)
        return document

    async def update(self, who: Identity, name: str, body: Document, *, replaces: bool) -> Document:
        """Update a document; with `replaces`, fields that are not in the body are removed."""
        old = await self.get(who, name)
        if not self.rancher.rights.changes(who.user, self.kind, old):
            raise errors.forbidden(who.user, "update", self.kind, name)
        fields = self.type.updatable() - set(METADATA)
        new = {key: value for key, value in old.items() if not (replaces and key in fields and key != "name")}
        new |= {key: value for key, value in body.items() if key in fields}
        for part in METADATA:
            new[part] = metadata.merge(old[part], body.get(part))
        await self.check_update(old, new)
        self.rancher.store.put(self.kind, new)
        return new

    async def delete(self, who: Identity, name: str) -> Document | None:
        """Delete a document, and return its last content."""
        document = await self.get(who, name)
        if not self.rancher.rights.changes(who.user, self.kind, document):
            raise errors.forbidden(who.user, "delete", self.kind, name)
        await self.before_delete(document)
        self.rancher.store.remove(self.kind, name)
        return document

    async def act(self, who: Identity, name: str, action: str, body: Document) -> Document | None:  # noqa: ARG002 - for those that can
        """Run an action on a document, and return its answer."""
        raise ApiError(422, "InvalidAction", f"Invalid action: {action}")

    def actions(self, who: Identity, document: Document) -> tuple[str, ...]:  # noqa: ARG002 - for those that have some
        """Return the actions that the user can run on the document."""
        return ()

    async def prepare(self, who: Identity, document: Document) -> None:  # noqa: ARG002 - for those that must
        """Complete a new document, including its id, or refuse it."""
        document["id"] = names.generate(f"{_initials(self.type.name)}-")
        document.setdefault("name", document["id"])

    async def check_update(self, old: Document, new: Document) -> None:
        """Refuse an invalid update by an error."""

    async def before_delete(self, document: Document) -> None:
        """Refuse a deletion, or clean up before it."""


def _initials(type_name: str) -> str:
    return (type_name[0] + "".join(it for it in type_name[1:] if it.isupper())).lower()
