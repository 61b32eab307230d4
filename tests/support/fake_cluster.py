"""A cluster for tests of the stand-in, in which applied objects exist at once and need no wait."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from lab.standin.cluster import ImmutableError, ObjectIdentity

if TYPE_CHECKING:
    from recorder.values import Properties


class FakeCluster:
    """A cluster that stores applied objects, refuses changes of immutable ones, and records deletions."""

    name = "east"
    server = "https://198.18.0.11:6443"

    def __init__(self) -> None:
        """Create an empty cluster."""
        self.objects: dict[ObjectIdentity, Properties] = {}
        self.deleted: list[ObjectIdentity] = []
        self.added: Properties = {}
        """The fields that the cluster adds to every object."""
        self.forces_conflicts = False

    def get(self, identity: ObjectIdentity) -> Properties | None:
        """Return an object; None if it does not exist."""
        return copy.deepcopy(self.objects.get(identity))

    def apply(self, manifest: Properties) -> Properties:
        """Apply an object, and return it as the server does."""
        applied = self.apply_dry(manifest)
        self.objects[ObjectIdentity.of(manifest)] = applied
        return copy.deepcopy(applied)

    def apply_dry(self, manifest: Properties) -> Properties:
        """Return the result of applying an object."""
        identity = ObjectIdentity.of(manifest)
        live = self.objects.get(identity)
        if live is not None and live.get("immutable") and live["data"] != manifest["data"]:
            raise ImmutableError("data: field is immutable when `immutable` is set")
        metadata = {"uid": str(len(self.deleted)), "generation": 1, **manifest["metadata"]}
        return {**copy.deepcopy({**manifest, **self.added}), "metadata": metadata}

    def delete(self, identity: ObjectIdentity) -> None:
        """Delete an object at once."""
        self.deleted.append(identity)
        self.objects.pop(identity, None)

    def select(self, _api_version: str, kind: str, _namespace: str | None, _selector: str) -> list[Properties]:
        """Return the objects of a kind."""
        return [live for identity, live in self.objects.items() if identity.kind == kind]

    def is_namespaced(self, _api_version: str, kind: str) -> bool:
        """Return whether a kind is namespaced, which all except Namespace are."""
        return kind != "Namespace"
