"""
Receives the registrations of a program, as Pulumi's engine does.

The stand-in applies them, and the tests record them.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

from recorder.registrations import STACK_TYPE, Outcome, Reading, Registration, decode, inherit_aliases, make_urn
from recorder.values import Properties, from_struct, to_struct

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from pulumi.runtime.mocks import MockCallArgs


class Monitor(MockMonitor):
    """
    Decodes and remembers the registrations of a program, and leaves applying them to `apply`.

    Subclasses override `apply`, and `read` and `invoke` where they allow them. Several threads call all three at once.
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

    def apply(self, registration: Registration) -> Outcome:
        """Make one resource as the program registers it."""
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

    def RegisterResource(  # noqa: D102, N802 - the SDK's name
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        registration = decode(request, stack=self.stack, project=self.project)
        with self._lock:
            if (parent := self.registrations.get(registration.parent or "")) is not None:
                registration = inherit_aliases(registration, parent)
            if registration.urn in self.registrations:
                raise ValueError(f"two resources have the URN {registration.urn}: rename one")
            self.registrations[registration.urn] = registration
        outcome = self.apply(registration) if registration.type != STACK_TYPE else Outcome()
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


class _NoMocks(Mocks):
    """What `MockMonitor` insists on; nothing here reaches it."""

    def call(self, args: MockCallArgs) -> tuple[Properties, list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, Properties]:
        raise NotImplementedError(args.typ)
