"""What a program registered, as JSON data that can be kept and compared: sorted, and with nothing secret in it."""

from collections.abc import Mapping
from typing import Any

from recorder.registrations import Registration
from recorder.values import Reference, Secret, Unknown
from tests.support.recording import RecordingMonitor

Inventory = dict[str, dict[str, Any]]
"""By shortened URN: types of the ancestors, type, and logical name."""


def take_inventory(monitor: RecordingMonitor) -> Inventory:
    """List all resources with parent, provider, inputs, and the options that are not the usual ones."""
    return {short(found.urn): _entry(monitor, found) for found in monitor.recorded}


def short(urn: str) -> str:
    """Cut off what all URNs of a stack begin with."""
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
    """Turn property values into JSON data, secrets and unknowns into marks."""
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
    """Resources that are new, gone or not the same."""
    return {urn for urn in before.keys() | after.keys() if before.get(urn) != after.get(urn)}


def unknown_places(value: object, place: str = "") -> list[str]:
    """The places within inventory data that nothing is known about yet."""
    match value:
        case dict():
            return [found for key, item in value.items() for found in unknown_places(item, f"{place}/{key}")]
        case list():
            return [found for index, item in enumerate(value) for found in unknown_places(item, f"{place}/{index}")]
        case str() if value == repr(Unknown()):
            return [place]
        case _:
            return []
