"""Which fields of an object a changed manifest takes from other field managers, by the object's `managedFields`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Owned = Mapping[str, Any]
"""A `fieldsV1` of Kubernetes: a tree whose keys are `f:<field>`, `k:<key of a list item>`, `v:<value>` or `.`."""

_FIELD = "f:"


def taken(live: Mapping[str, Any], manifest: Mapping[str, Any], own: str) -> Mapping[str, Sequence[str]]:
    """
    Find the fields that the manifest states otherwise than the object has them, and that another manager owns.

    A list counts as one field. The paths name no values, which may be secret.

    Args:
        live: The object with its `managedFields`.
        manifest: The new manifest.
        own: The manager in whose name the manifest is applied.

    Returns:
        The paths, such as `spec.http`, by manager.
    """
    found: dict[str, list[str]] = {}
    for entry in live.get("metadata", {}).get("managedFields") or ():
        if entry.get("manager") == own or entry.get("subresource") == "status":
            continue
        paths = [".".join(path) for path in _differing(entry.get("fieldsV1") or {}, live, manifest, ())]
        if paths:
            known = found.setdefault(str(entry.get("manager")), [])
            known.extend(path for path in paths if path not in known)
    return found


def _differing(owned: Owned, live: Any, manifest: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - JSON data
    if not isinstance(manifest, Mapping) or not isinstance(live, Mapping):
        if path and live != manifest:
            yield path
        return
    for key, below in owned.items():
        name = key.removeprefix(_FIELD)
        if key.startswith(_FIELD) and name in manifest:
            yield from _differing(below, live.get(name), manifest[name], (*path, name))
