"""What a program registers, as plain data decoded from the SDK's requests. `monitor` receives it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from pulumi.runtime.proto import alias_pb2, resource_pb2

from recorder.values import Properties, from_struct, from_wire

if TYPE_CHECKING:
    from collections.abc import Mapping


STACK_TYPE: Final = "pulumi:pulumi:Stack"

# These fields describe the SDK's own protocol; they are no options of the program.
_PLUMBING: Final = frozenset(
    {
        "acceptResources",
        "acceptSecrets",
        "accepts_byte_string",
        "aliasSpecs",
        "deleteBeforeReplaceDefined",
        "packageRef",
        "parentStackTraceHandle",
        "pluginDownloadURL",
        "sourcePosition",
        "stackTrace",
        "supportsPartialValues",
        "supportsResultReporting",
    }
)
_DECODED: Final = frozenset(
    {
        "additionalSecretOutputs",
        "aliases",
        "custom",
        "customTimeouts",
        "deleteBeforeReplace",
        "deletedWith",
        "dependencies",
        "hooks",
        "ignoreChanges",
        "name",
        "object",
        "parent",
        "propertyDependencies",
        "protect",
        "provider",
        "providers",
        "remote",
        "replacement_trigger",
        "retainOnDelete",
        "type",
        "version",
    }
)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One resource as the program registered it."""

    urn: str
    type: str
    name: str
    parent: str | None
    """URN of the parent; None for the stack alone."""
    custom: bool
    """False for components."""
    remote: bool
    """True for components that a provider creates (Helm charts)."""
    inputs: Properties
    provider: str | None
    """`<urn>::<id>` of the explicit provider."""
    providers: Mapping[str, str]
    """For components: the explicit providers by package."""
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, frozenset[str]]
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    delete_before_replace: bool
    deleted_with: str | None
    aliases: tuple[str, ...]
    """URNs that this resource had before."""
    additional_secret_outputs: tuple[str, ...]
    replacement_trigger: object
    """A value whose change replaces the resource; None without one."""
    custom_timeouts: Mapping[str, str]
    """`create`, `update`, `delete`, in Go's duration notation."""
    version: str | None
    other_options: tuple[str, ...]
    """Names of the other options that the program sets."""
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the hooks that an engine runs, by moment (`before_update`); moments without a hook are left out."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one registration or read."""

    id: str = ""
    """Empty in previews, where it is not known yet, and for components."""
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One existing resource that the program reads (`Service.get`)."""

    urn: str
    type: str
    name: str
    id: str
    parent: str | None
    provider: str | None
    inputs: Properties
    dependencies: frozenset[str]


def make_urn(*, stack: str, project: str, parent: str | None, type_: str, name: str) -> str:
    """Build a URN: the type carries the types of all ancestors but the stack."""
    chain = parent.split("::")[2] if parent else STACK_TYPE
    qualified = type_ if chain == STACK_TYPE else f"{chain}${type_}"
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def decode(request: resource_pb2.RegisterResourceRequest, *, stack: str, project: str) -> Registration:
    """Turn a request into data."""
    parent = request.parent or None
    given = {field.name for field, value in request.ListFields() if not _is_empty(value)}
    return Registration(
        urn=make_urn(stack=stack, project=project, parent=parent, type_=request.type, name=request.name),
        type=request.type,
        name=request.name,
        parent=parent,
        custom=request.custom,
        remote=request.remote,
        inputs=from_struct(request.object),
        provider=request.provider or None,
        providers=dict(request.providers),
        dependencies=frozenset(request.dependencies),
        property_dependencies={name: frozenset(found.urns) for name, found in request.propertyDependencies.items()},
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        ignore_changes=tuple(request.ignoreChanges),
        delete_before_replace=request.deleteBeforeReplace,
        deleted_with=request.deletedWith or None,
        aliases=tuple(alias.urn or _alias_urn(alias.spec, request, stack, project) for alias in request.aliases),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        replacement_trigger=from_wire(MessageToDict(request.replacement_trigger))
        if request.HasField("replacement_trigger")
        else None,
        custom_timeouts={descriptor.name: value for descriptor, value in request.customTimeouts.ListFields()},
        version=request.version or None,
        hooks={moment.name: tuple(names) for moment, names in request.hooks.ListFields()},
        other_options=tuple(sorted(given - _DECODED - _PLUMBING)),
    )


def inherit_aliases(registration: Registration, parent: Registration) -> Registration:
    """
    Add the URNs that a resource had below the earlier URNs of its parent, as Pulumi's engine does.

    A logical name that starts with the parent's follows the parent's earlier name.
    """
    inherited = [
        _inherited_alias(urn, parent, alias)
        for alias in parent.aliases
        for urn in (registration.urn, *registration.aliases)
    ]
    return replace(registration, aliases=tuple(dict.fromkeys((*registration.aliases, *inherited))))


def _inherited_alias(urn: str, parent: Registration, parent_alias: str) -> str:
    head, name = urn.split("::", 3)[2:]
    earlier_name = parent_alias.split("::", 3)[3]
    stack, project = parent_alias.removeprefix("urn:pulumi:").split("::")[:2]
    is_below = name.startswith(parent.name)
    return make_urn(
        stack=stack,
        project=project,
        parent=parent_alias,
        type_=head.rpartition("$")[2],
        name=f"{earlier_name}{name.removeprefix(parent.name)}" if is_below else name,
    )


def _alias_urn(
    spec: alias_pb2.Alias.Spec, request: resource_pb2.RegisterResourceRequest, stack: str, project: str
) -> str:
    return make_urn(
        stack=spec.stack or stack,
        project=spec.project or project,
        parent=None if spec.noParent else spec.parentUrn or request.parent or None,
        type_=spec.type or request.type,
        name=spec.name or request.name,
    )


def _is_empty(value: object) -> bool:
    """Return whether a field's value is an empty message."""
    return isinstance(value, Message) and not value.ListFields()
