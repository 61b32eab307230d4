"""The registrations of a program as sorted JSON data without secrets, for snapshots and comparisons."""

from collections.abc import Mapping
from typing import Any

from recorder.registrations import Registration
from recorder.values import Reference, Secret, Unknown
from tests.support.recording import RecordingMonitor

Inventory = dict[str, dict[str, Any]]
"""The resources by short URN: the types of the ancestors, the type, and the logical name."""


def take_inventory(monitor: RecordingMonitor) -> Inventory:
    """Return all resources with parent, provider, inputs, and the options that are not the default."""
    return {short(found.urn): _entry(monitor, found) for found in monitor.recorded}


def short(urn: str) -> str:
    """Return a URN without the prefix of all URNs of a stack."""
    return urn.split("::", 2)[2]


def _entry(monitor: RecordingMonitor, found: Registration) -> dict[str, Any]:
    parent = monitor.registrations[found.parent].name if found.parent else None
    options = {
        "aliases": list(found.aliases),
        "customTimeouts": dict(found.custom_timeouts),
        "deleteBeforeReplace": found.delete_before_replace,
        "deletedWith": found.deleted_with,
        "ignoreChanges": list(found.ignore_changes),
        "other": list(found.other_options),
        "protect": found.protect,
        "replacementTrigger": plain(found.replacement_trigger),
        "retainOnDelete": found.retain_on_delete,
    }
    return {
        "inputs": plain(found.inputs),
        "options": {name: value for name, value in options.items() if value},
        "parent": parent,
        "provider": monitor.provider_name(found),
    }


def plain(value: object) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """Return property values as JSON data, with marks for secrets and unknowns."""
    match value:
        case Secret() | Unknown():
            return repr(value)
        case Reference():
            return f"[resource {short(value.urn)}]"
        case Mapping():
            return {key: plain(item) for key, item in sorted(value.items())}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


def changed(before: Inventory, after: Inventory) -> set[str]:
    """Return the resources that are new, removed or changed."""
    return {urn for urn in before.keys() | after.keys() if before.get(urn) != after.get(urn)}


def unknown_places(value: object, place: str = "") -> list[str]:
    """Return the places of unknown values in inventory data."""
    match value:
        case dict():
            return [found for key, item in value.items() for found in unknown_places(item, f"{place}/{key}")]
        case list():
            return [found for index, item in enumerate(value) for found in unknown_places(item, f"{place}/{index}")]
        case str() if value == repr(Unknown()):
            return [place]
        case _:
            return []
