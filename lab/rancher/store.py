"""
What the server remembers, in the form of its API, in memory and in one file.

The file is written whole at each change and with mode 0600. It holds no token and no password, only their hashes.
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
    """What can be stored, by the plural that Rancher's custom resources have."""

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
    """Documents by kind and id; what goes in and out is copied."""

    def __init__(self, path: Path | None = None) -> None:
        """Read `path` where it is; without one, keep everything in memory alone."""
        self._path = path
        self._documents: dict[Kind, dict[str, Document]] = {kind: {} for kind in Kind}
        self._listeners: list[Callable[[], None]] = []
        if path and path.exists():
            for kind, documents in json.loads(path.read_text()).items():
                self._documents[Kind(kind)] = documents

    def get(self, kind: Kind, name: str) -> Document | None:
        """Return one document, or None."""
        return copy.deepcopy(self._documents[kind].get(name))

    def all(self, kind: Kind) -> Iterator[Document]:
        """Give every document of the kind, in the order of their ids."""
        for name in sorted(self._documents[kind]):
            yield copy.deepcopy(self._documents[kind][name])

    def put(self, kind: Kind, document: Document) -> None:
        """Keep a document under its id."""
        if self._documents[kind].get(document["id"]) != document:
            self._documents[kind][document["id"]] = copy.deepcopy(document)
            self._changed()

    def remove(self, kind: Kind, name: str) -> None:
        """Forget a document; one that is not there is no error."""
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
