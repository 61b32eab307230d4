"""
What the program registers, as data, and the monitor that receives it.

Shared by the stand-in, which carries registrations out, and the tests, which record them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import alias_pb2, resource_pb2

from lab.engine.values import Properties, from_struct, from_wire, to_struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi.runtime.mocks import MockCallArgs

STACK_TYPE: Final = "pulumi:pulumi:Stack"

# How the SDK says a thing, not what the program asked for: these fields are no options.
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
        "aliasURNs",
        "aliases",
        "custom",
        "customTimeouts",
        "deleteBeforeReplace",
        "deletedWith",
        "dependencies",
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
    """True for components that a provider makes (Helm charts)."""
    inputs: Properties
    provider: str | None
    """`<urn>::<id>` of the explicit provider."""
    providers: Mapping[str, str]
    """For components: the same by package."""
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
    """A value whose change makes the resource anew; None without one."""
    custom_timeouts: Mapping[str, str]
    """`create`, `update`, `delete`, in Go's duration notation."""
    version: str | None
    other_options: tuple[str, ...]
    """Names of the options given that are decoded nowhere above."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one registration or read."""

    id: str = ""
    """Empty where it is not known yet (previews) and for components."""
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One existing resource that the program asks for (`Service.get`)."""

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


class Monitor(MockMonitor):
    """
    The receiving end of a program: decodes, remembers, and leaves the doing to `carry_out`.

    Subclasses override `carry_out`, and `read` and `invoke` where they allow them. All three are
    called from several threads at once.
    """

    def __init__(self, *, project: str, stack: str, preview: bool) -> None:
        super().__init__(_NoMocks())
        self.project = project
        self.stack = stack
        self.preview = preview
        self.registrations: dict[str, Registration] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.component_outputs: dict[str, Properties] = {}
        """What components and the stack (its exports) registered as outputs, by URN."""
        self._lock = Lock()

    def carry_out(self, registration: Registration) -> Outcome:
        """Make one resource what the program wants it to be."""
        raise NotImplementedError

    def read(self, reading: Reading) -> Outcome:
        """Read a resource that exists already."""
        raise NotImplementedError(f"{reading.type}.get ({reading.name}) is not supported here")

    def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
        """Call a function of a provider."""
        raise NotImplementedError(f"function {token} (provider {provider or 'by default'}) is not supported here")

    @property
    def exports(self) -> Properties:
        """The stack's outputs, complete once the program has ended."""
        return self.component_outputs.get(self.urn(None, STACK_TYPE, self._stack_name), {})

    @property
    def _stack_name(self) -> str:
        return f"{self.project}-{self.stack}"

    def urn(self, parent: str | None, type_: str, name: str) -> str:
        """Build a URN of this stack."""
        return make_urn(stack=self.stack, project=self.project, parent=parent, type_=type_, name=name)

    def decode(self, request: resource_pb2.RegisterResourceRequest) -> Registration:
        """Turn a request into data."""
        parent = request.parent or None
        urn = self.urn(parent, request.type, request.name)
        given = {field.name for field, value in request.ListFields() if not _is_empty(value)}
        return Registration(
            urn=urn,
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
            aliases=tuple(alias.urn or self._alias_urn(alias.spec, request) for alias in request.aliases),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            replacement_trigger=from_wire(MessageToDict(request.replacement_trigger))
            if request.HasField("replacement_trigger")
            else None,
            custom_timeouts={descriptor.name: value for descriptor, value in request.customTimeouts.ListFields()},
            version=request.version or None,
            other_options=tuple(sorted(given - _DECODED - _PLUMBING)),
        )

    def _alias_urn(self, spec: alias_pb2.Alias.Spec, request: resource_pb2.RegisterResourceRequest) -> str:
        return make_urn(
            stack=spec.stack or self.stack,
            project=spec.project or self.project,
            parent=None if spec.noParent else spec.parentUrn or request.parent or None,
            type_=spec.type or request.type,
            name=spec.name or request.name,
        )

    def RegisterResource(  # noqa: D102, N802 - the SDK's name
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        registration = self.decode(request)
        with self._lock:
            if registration.urn in self.registrations:
                raise ValueError(f"two resources have the URN {registration.urn}: rename one")
            self.registrations[registration.urn] = registration
        outcome = self.carry_out(registration) if registration.type != STACK_TYPE else Outcome()
        with self._lock:
            self.outcomes[registration.urn] = outcome
        return resource_pb2.RegisterResourceResponse(
            urn=registration.urn, id=outcome.id, object=to_struct(outcome.outputs)
        )

    def RegisterResourceOutputs(  # noqa: D102, N802 - the SDK's name
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        with self._lock:
            self.component_outputs[request.urn] = from_struct(request.outputs)
        return empty_pb2.Empty()

    def ReadResource(  # noqa: D102, N802 - the SDK's name
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        parent = request.parent or None
        reading = Reading(
            urn=self.urn(parent, request.type, request.name),
            type=request.type,
            name=request.name,
            id=request.id,
            parent=parent,
            provider=request.provider or None,
            inputs=from_struct(request.properties),
            dependencies=frozenset(request.dependencies),
        )
        outcome = self.read(reading)
        with self._lock:
            self.outcomes[reading.urn] = outcome
        return resource_pb2.ReadResourceResponse(urn=reading.urn, id=outcome.id, properties=to_struct(outcome.outputs))

    def Invoke(  # noqa: D102, N802 - the SDK's name
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> resource_pb2.ResourceInvokeResponse:
        arguments = from_struct(request.args)
        if request.tok == "pulumi:pulumi:getResource":
            result = self._resource(arguments["urn"])
        else:
            result = self.invoke(request.tok, arguments, request.provider)
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(result))  # `return` is a Python keyword
        return response

    def _resource(self, urn: str) -> Properties:
        with self._lock:
            outcome = self.outcomes.get(urn)
        if outcome is None:
            raise ValueError(f"no resource {urn} is registered")
        return {"urn": urn, "id": outcome.id, "state": outcome.outputs}

    def refuse(self, request: Message) -> empty_pb2.Empty:
        """Refuse, by the name of its message, a request that is understood nowhere here."""
        raise NotImplementedError(f"{type(request).__name__} is not supported here")

    Call = refuse
    ExistsResource = refuse
    RegisterErrorHook = refuse
    RegisterPackage = refuse
    RegisterResourceHook = refuse
    RegisterStackInvokeTransform = refuse
    RegisterStackTransform = refuse


def _is_empty(value: object) -> bool:
    """Tell whether a field's value is a message with nothing in it."""
    return isinstance(value, Message) and not value.ListFields()


class _NoMocks(Mocks):
    """What `MockMonitor` insists on; nothing here reaches it."""

    def call(self, args: MockCallArgs) -> tuple[Properties, list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, Properties]:
        raise NotImplementedError(args.typ)
