"""Resources as Pulumi hands them to a policy, made up or recorded, and what the policy says of them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi_policy import (
    Policy,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from recorder.registrations import STACK_TYPE, Registration
from recorder.values import Unknown, to_struct
from tests.support.bad_config import Place, places, put
from tests.support.recording import KUBERNETES_PROVIDER, RecordingMonitor

UNKNOWN = rpc.UNKNOWN
WRONG_VALUES: tuple[Any, ...] = (
    None,
    "a text",
    "",
    5,
    -1.5,
    True,
    [],
    ["a text"],
    [[5]],
    [None],
    {},
    {"key": "value"},
    {"key": None},
)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider and what it was told."""

    name: str
    type: str = KUBERNETES_PROVIDER
    inputs: Mapping[str, Any] = field(default_factory=dict)


EAST = Provider(name="east-kubernetes", inputs={"clusterIdentifier": "east"})
WEST = Provider(name="west-kubernetes", inputs={"clusterIdentifier": "west"})


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource: its inputs for a policy of resources, its outputs for one of stacks."""

    type: str
    name: str = "made"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] | None = None
    """The inputs again, unless they are given."""
    protect: bool = False
    provider: Provider | None = EAST

    @property
    def urn(self) -> str:
        """A URN, as the engine builds it."""
        return f"urn:pulumi:test::mcsps::{self.type}::{self.name}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a policy reported."""

    resource: str
    """The logical name."""
    message: str


def judge(policy: Policy, *resources: Made, **config: Any) -> list[Finding]:  # noqa: ANN401 - JSON data has no narrower type
    """Run one policy over resources, all of which are one stack to a policy of stacks."""
    names = {made.urn: made.name for made in resources}
    found: list[Finding] = []

    def report(message: str, urn: str | None, name: str = "") -> None:
        found.append(Finding(resource=names[urn] if urn else name, message=message))

    if isinstance(policy, ResourceValidationPolicy):
        for made in resources:
            args = ResourceValidationArgs(
                made.type, as_told(made.inputs), made.urn, made.name, _options(made), _provider(made), config
            )
            policy.validate(args, partial(report, name=made.name))
    else:
        assert isinstance(policy, StackValidationPolicy)
        told = [
            PolicyResource(
                made.type,
                as_told(made.inputs if made.outputs is None else made.outputs),
                made.urn,
                made.name,
                _options(made),
                _provider(made),
                None,
                [],
                {},
            )
            for made in resources
        ]
        policy.validate(StackValidationArgs(told, config), report)
    return found


def as_told(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hand properties over as the SDK does: by the wire; numbers are floats then, and a look at an unknown raises."""
    struct = struct_pb2.Struct()
    struct.update(properties)
    return unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(struct)))


def _options(made: Made) -> PolicyResourceOptions:
    return PolicyResourceOptions(made.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def _provider(made: Made) -> PolicyProviderResource | None:
    if made.provider is None:
        return None
    urn = f"urn:pulumi:test::mcsps::{made.provider.type}::{made.provider.name}"
    return PolicyProviderResource(made.provider.type, as_told(made.provider.inputs), urn, made.provider.name)


def with_each(value: object, *resources: Made) -> Iterator[tuple[str, int, Made]]:
    """Replace one property or provider's input at a time: give its key, the resource's index and the resource."""
    for index, made in enumerate(resources):
        for place in places(made.inputs):
            yield _key(place), index, replace(made, inputs=put(made.inputs, place, value))
        if made.provider is not None:
            for place in places(made.provider.inputs):
                provider = replace(made.provider, inputs=put(made.provider.inputs, place, value))
                yield _key(place), index, replace(made, provider=provider)


def _key(place: Place) -> str:
    """The nearest key above an item of a list."""
    return next(step for step in reversed(place) if isinstance(step, str))


def assert_bears_all(policy: Policy, *clean: Made, refused: Collection[str] = (), **config: Any) -> None:  # noqa: ANN401 - JSON data has no narrower type
    """
    Judge clean resources with any value unknown, and with values of any wrong type.

    Args:
        policy: Takes what is unknown for good, and does not fail at a wrong type.
        clean: What it has nothing to say about.
        refused: The keys, and no others, at which it refuses some wrong value.
        config: The policy's own.
    """
    assert judge(policy, *clean, **config) == []

    def refuses(value: object) -> set[str]:
        keys = set()
        for key, index, made in with_each(value, *clean):
            of_one = isinstance(policy, ResourceValidationPolicy)
            resources = (made,) if of_one else (*clean[:index], made, *clean[index + 1 :])
            if judge(policy, *resources, **config):
                keys.add(key)
        return keys

    assert refuses(UNKNOWN) == set()
    assert set().union(*map(refuses, WRONG_VALUES)) == set(refused)


def recorded(monitor: RecordingMonitor) -> list[Made]:
    """All that a program registered, the stack and its exports included."""
    components = [Made(type=STACK_TYPE, name="stack", outputs=as_plain(monitor.exports), provider=None)]
    return components + [
        Made(
            type=found.type,
            name=found.name,
            inputs=as_plain(found.inputs),
            outputs=as_plain(_recorded_outputs(monitor, found)),
            protect=found.protect,
            provider=_recorded_provider(monitor, found.provider),
        )
        for found in monitor.recorded
    ]


def _recorded_outputs(monitor: RecordingMonitor, found: Registration) -> Mapping[str, Any]:
    if not (found.custom or found.remote):
        return monitor.component_outputs[found.urn]
    outcome = monitor.outcomes[found.urn]
    # Providers that are bridged from Terraform's have the id among the outputs, and that of Kubernetes has none.
    is_bridged = not found.type.startswith(("kubernetes:", "pulumi:"))
    return {**outcome.outputs, **({"id": outcome.id or Unknown()} if is_bridged else {})}


def _recorded_provider(monitor: RecordingMonitor, reference: str | None) -> Provider | None:
    if reference is None:
        return None
    found = monitor.registrations[reference.rpartition("::")[0]]
    return Provider(name=found.name, type=found.type, inputs=as_plain(found.inputs))


def as_plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as they go over the wire."""
    return dict(json_format.MessageToDict(to_struct(properties)))
