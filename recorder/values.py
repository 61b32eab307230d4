"""
Property values as plain data, with types of their own for secrets, unknowns and references.

Converts between Pulumi's wire form (a protobuf struct with signatures) and Python data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

Properties: TypeAlias = dict[str, Any]
"""Property values by name; leaves are JSON scalars, `Secret`, `Unknown` or `Reference`."""

# Part of Pulumi's protocol (sdk/go/common/resource/properties.go); private names in the SDK.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that is never shown."""

    value: Any

    def __repr__(self) -> str:
        """Hide the value, so that no log or traceback can carry it."""
        return "[secret]"


@dataclass(frozen=True, repr=False)
class Unknown:
    """A value that is unknown until the update (previews only)."""

    def __repr__(self) -> str:
        """Name what it is, for diffs and error messages."""
        return "[unknown]"


@dataclass(frozen=True)
class Reference:
    """Another resource as a value."""

    urn: str
    id: str | Unknown | None = None


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Decode the properties of a request."""
    return {name: from_wire(value) for name, value in json_format.MessageToDict(struct).items()}


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Encode the properties of a response."""
    struct = struct_pb2.Struct()
    struct.update({name: to_wire(value) for name, value in properties.items()})
    return struct


def from_wire(value: Any) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """
    Decode one value of the wire form.

    Raises:
        ValueError: a signature that is neither a secret's nor a resource's (assets, archives).
    """
    match value:
        case rpc.UNKNOWN:
            return Unknown()
        case float() if value.is_integer():
            return int(value)
        case list():
            return [from_wire(item) for item in value]
        case dict():
            return _from_wire_mapping(value)
        case _:
            return value


def _from_wire_mapping(value: Properties) -> object:
    match value.get(_SIGNATURE):
        case None:
            return {name: from_wire(item) for name, item in value.items()}
        case signature if signature == _SECRET:
            return Secret(reveal(from_wire(value["value"])))
        case signature if signature == _RESOURCE:
            return Reference(value["urn"], from_wire(value.get("id")))
        case _:
            raise ValueError("an asset or archive is not supported here")


def to_wire(value: Any) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """Encode one value for the wire or the state file."""
    match value:
        case Secret():
            return {_SIGNATURE: _SECRET, "value": to_wire(value.value)}
        case Unknown():
            return rpc.UNKNOWN
        case Reference():
            # The engine writes an unknown id in a reference as an empty id.
            known = "" if isinstance(value.id, Unknown) else value.id
            reference = {_SIGNATURE: _RESOURCE, "urn": value.urn}
            return reference if known is None else {**reference, "id": known}
        case Mapping():
            return {name: to_wire(item) for name, item in value.items()}
        case list() | tuple():
            return [to_wire(item) for item in value]
        case _:
            return value


def reveal(value: Any) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """Remove the secret wrappers, at every depth."""
    match value:
        case Secret():
            return reveal(value.value)
        case Mapping():
            return {name: reveal(item) for name, item in value.items()}
        case list():
            return [reveal(item) for item in value]
        case _:
            return value


def leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON data has no narrower type
    """Yield all leaves; a secret is one leaf, whatever it holds."""
    match value:
        case Mapping():
            for item in value.values():
                yield from leaves(item)
        case list():
            for item in value:
                yield from leaves(item)
        case _:
            yield value


def has_unknown(value: Any) -> bool:  # noqa: ANN401 - JSON data has no narrower type
    """Return whether any part of a value is unknown."""
    return any(
        isinstance(leaf, Unknown) or (isinstance(leaf, Secret) and has_unknown(leaf.value)) for leaf in leaves(value)
    )


def has_secret(value: Any) -> bool:  # noqa: ANN401 - JSON data has no narrower type
    """Return whether any part of a value is secret."""
    return any(isinstance(leaf, Secret) for leaf in leaves(value))


def mark_like(value: Any, model: Any) -> Any:  # noqa: ANN401 - JSON data has no narrower type
    """Mark the parts of a value as secret that are secret at the same place in `model`."""
    if isinstance(model, Secret):
        return value if isinstance(value, Secret) else Secret(value)
    if isinstance(model, Mapping) and isinstance(value, Mapping):
        return {name: mark_like(item, model.get(name)) for name, item in value.items()}
    if isinstance(model, list) and isinstance(value, list) and len(model) == len(value):
        return [mark_like(*pair) for pair in zip(value, model, strict=True)]
    # In a list of another length the places do not correspond, so all of it counts as secret.
    return Secret(value) if isinstance(value, list) and has_secret(model) else value
