"""Which fields of an object belong to other field managers, by the object's `managedFields`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Owned = Mapping[str, Any]
"""
A `fieldsV1` of Kubernetes: a tree whose keys are `f:<field>`, `k:<key of a list item>`, `v:<value>` or `.`.

A field that is merged as a whole (a value, an atomic list or an atomic map) has nothing below it.
"""

_FIELD = "f:"
_ITEM = "k:"


def taken(live: Mapping[str, Any], manifest: Mapping[str, Any], own: str) -> Mapping[str, Sequence[str]]:
    """
    Find the fields that the manifest states otherwise than the object has them, and that another manager owns.

    A path ends at a list. The paths name no values, which may be secret.

    Args:
        live: The object with its `managedFields`.
        manifest: The new manifest.
        own: The manager in whose name the manifest is applied.

    Returns:
        The paths, such as `spec.http`, by manager.
    """
    found: dict[str, dict[str, None]] = {}
    for manager, owned in _others(live, own):
        paths = dict.fromkeys(".".join(path) for path in _differing(owned, live, manifest, ()))
        if paths:
            found.setdefault(manager, {}).update(paths)
    return {manager: list(paths) for manager, paths in found.items()}


def others(live: Mapping[str, Any], own: str) -> Sequence[str]:
    """Return the other managers that own fields of an object, apart from its status."""
    return list(dict.fromkeys(manager for manager, _ in _others(live, own)))


def _others(live: Mapping[str, Any], own: str) -> Iterator[tuple[str, Owned]]:
    for entry in live.get("metadata", {}).get("managedFields") or ():
        owned = entry.get("fieldsV1")
        if owned and entry.get("manager") != own and entry.get("subresource") != "status":
            yield str(entry.get("manager")), owned


def _differing(owned: Owned, live: Any, manifest: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - JSON data
    if live == manifest:
        return
    if not owned or not isinstance(manifest, Mapping | list):
        yield path
        return
    for key, below in owned.items():
        name = key[len(_FIELD) :]
        if key.startswith(_FIELD) and isinstance(manifest, Mapping) and name in manifest:
            yield from _differing(below, _field(live, name), manifest[name], (*path, name))
        elif key.startswith(_ITEM) and isinstance(manifest, list):
            # Other items, and other fields of this item, stay with their managers.
            stated, had = (_item(json.loads(name), items) for items in (manifest, live))
            if stated is not None and any(True for _ in _differing(below, had, stated, ())):
                yield path


def _field(value: Any, name: str) -> Any:  # noqa: ANN401 - JSON data
    return value.get(name) if isinstance(value, Mapping) else None


def _item(key: Mapping[str, Any], items: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - JSON data
    """Find the list item with this key; a manifest leaves out what has a default, such as a port's protocol."""
    if not isinstance(items, list):
        return None
    maps = (item for item in items if isinstance(item, Mapping))
    return next((item for item in maps if all(item.get(name, value) == value for name, value in key.items())), None)
