"""
The rights of a user in the server's API; the rights in a cluster are the cluster's decision.

They are coarser than Rancher's roles: an administrator has all rights, the owner of a cluster has all rights in it, and
a user with a binding in a cluster or a project can see it.
"""

from lab.rancher.store import Document, Kind, Store

_ADMIN = "admin"
_OWNER = "cluster-owner"
_INSIDE = frozenset({Kind.PROJECT, Kind.PROJECT_BINDING, Kind.CLUSTER_BINDING})
"""The kinds whose documents belong to a cluster."""
_OPEN = frozenset({Kind.SETTING, Kind.ROLE_TEMPLATE, Kind.GLOBAL_ROLE})


class Rights:
    """The rights that the bindings in a store grant."""

    def __init__(self, store: Store) -> None:
        """Read `store` for each question, so that a binding takes effect at once."""
        self._store = store

    def is_admin(self, user: str) -> bool:
        """Return whether the user has the global role `admin`."""
        bindings = self._store.all(Kind.GLOBAL_BINDING)
        return any(it["userId"] == user and it["globalRoleId"] == _ADMIN for it in bindings)

    def sees(self, user: str, kind: Kind, document: Document) -> bool:
        """Return whether the user may read the document."""
        if kind in _OPEN or self.is_admin(user) or self.changes(user, kind, document):
            return True
        name = str(document["id"])
        if kind is Kind.CLUSTER:
            return name in {self._cluster(it) for it in self._bindings(user)}
        if kind is Kind.PROJECT:
            return name in {it.get("projectId") for it in self._bindings(user)}
        return name == user or document.get("userId") == user

    def creates(self, user: str, kind: Kind) -> bool:
        """Return whether the user may create documents of that kind anywhere."""
        return self.is_admin(user) or kind is Kind.TOKEN or (kind in _INSIDE and bool(self._owned(user)))

    def changes(self, user: str, kind: Kind, document: Document) -> bool:
        """Return whether the user may create, update or delete the document."""
        if self.is_admin(user):
            return True
        return kind in _INSIDE and self._cluster(document) in self._owned(user)

    def _owned(self, user: str) -> set[str]:
        return {
            it["clusterId"] for it in self._bindings(user) if it.get("clusterId") and it["roleTemplateId"] == _OWNER
        }

    def _bindings(self, user: str) -> list[Document]:
        return [
            it
            for kind in (Kind.CLUSTER_BINDING, Kind.PROJECT_BINDING)
            for it in self._store.all(kind)
            if it.get("userId") == user
        ]

    @staticmethod
    def _cluster(document: Document) -> str:
        return str(document.get("clusterId") or str(document.get("projectId")).partition(":")[0])
