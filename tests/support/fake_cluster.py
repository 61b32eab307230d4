"""A cluster for tests of the stand-in: what is applied is there, and nothing has to be waited for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from lab.standin.cluster import ImmutableError, ObjectIdentity

if TYPE_CHECKING:
    from recorder.values import Properties


class FakeCluster:
    """A cluster that keeps what is applied, refuses changes of `immutable`, and counts deletions."""

    name = "east"
    server = "https://198.18.0.11:6443"

    def __init__(self) -> None:
        """Start empty."""
        self.objects: dict[ObjectIdentity, Properties] = {}
        self.deleted: list[ObjectIdentity] = []

    def get(self, identity: ObjectIdentity) -> Properties | None:
        """Read an object."""
        return copy.deepcopy(self.objects.get(identity))

    def apply(self, manifest: Properties) -> Properties:
        """Apply one, as the server would."""
        applied = self.apply_dry(manifest)
        self.objects[ObjectIdentity.of(manifest)] = applied
        return copy.deepcopy(applied)

    def apply_dry(self, manifest: Properties) -> Properties:
        """Tell what applying would come to."""
        identity = ObjectIdentity.of(manifest)
        live = self.objects.get(identity)
        if live is not None and live.get("immutable") and live["data"] != manifest["data"]:
            raise ImmutableError("data: field is immutable when `immutable` is set")
        metadata = {"uid": str(len(self.deleted)), "generation": 1, **manifest["metadata"]}
        return {**copy.deepcopy(manifest), "metadata": metadata}

    def delete(self, identity: ObjectIdentity) -> None:
        """Delete one at once."""
        self.deleted.append(identity)
        self.objects.pop(identity, None)

    def select(self, _api_version: str, kind: str, _namespace: str | None, _selector: str) -> list[Properties]:
        """List the objects of a kind."""
        return [live for identity, live in self.objects.items() if identity.kind == kind]

    def is_namespaced(self, _api_version: str, kind: str) -> bool:
        """Tell."""
        return kind != "Namespace"
