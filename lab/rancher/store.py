"""
The documents of the server in the form of its API, in memory and in one file.

Every change writes the whole file with mode 0600. It contains hashes of tokens and passwords, and not the values.
"""

import copy
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from lab.machine import files

Document = dict[str, Any]


class Kind(StrEnum):
    """The kinds of documents, by the plural of Rancher's custom resources."""

    SETTING = "settings"
    CLUSTER = "clusters"
    PROJECT = "projects"
    TOKEN = "tokens"  # noqa: S105 - a plural
    USER = "users"
    ROLE_TEMPLATE = "roletemplates"
    GLOBAL_ROLE = "globalroles"
    GLOBAL_BINDING = "globalrolebindings"
    CLUSTER_BINDING = "clusterroletemplatebindings"
    PROJECT_BINDING = "projectroletemplatebindings"
    REGISTRATION_TOKEN = "clusterregistrationtokens"  # noqa: S105 - a plural


class Store:
    """Documents by kind and id; the store copies them when it takes and returns them."""

    def __init__(self, path: Path | None = None) -> None:
        """Read `path` if it exists; without a path, keep the documents only in memory."""
        self._path = path
        self._documents: dict[Kind, dict[str, Document]] = {kind: {} for kind in Kind}
        self._listeners: list[Callable[[], None]] = []
        if path and path.exists():
            for kind, documents in json.loads(path.read_text()).items():
                self._documents[Kind(kind)] = documents

    def get(self, kind: Kind, name: str) -> Document | None:
        """Return one document; None if it does not exist."""
        return copy.deepcopy(self._documents[kind].get(name))

    def all(self, kind: Kind) -> Iterator[Document]:
        """Yield the documents of a kind, in the order of their ids."""
        for name in sorted(self._documents[kind]):
            yield copy.deepcopy(self._documents[kind][name])

    def put(self, kind: Kind, document: Document) -> None:
        """Store a document under its id."""
        if self._documents[kind].get(document["id"]) != document:
            self._documents[kind][document["id"]] = copy.deepcopy(document)
            self._changed()

    def remove(self, kind: Kind, name: str) -> None:
        """Remove a document; a missing one is no error."""
        if self._documents[kind].pop(name, None) is not None:
            self._changed()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change."""
        self._listeners.append(listener)

    def _changed(self) -> None:
        if self._path:
            files.write(self._path, json.dumps(self._documents, indent=1, sort_keys=True))
        for listener in self._listeners:
            listener()
