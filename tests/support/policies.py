"""Resources as Pulumi passes them to a policy, synthetic or recorded, and the findings of the policy."""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
    """A provider with its inputs."""

    name: str
    type: str = KUBERNETES_PROVIDER
    inputs: Mapping[str, Any] = field(default_factory=dict)


EAST = Provider(name="east-kubernetes", inputs={"clusterIdentifier": "east"})
WEST = Provider(name="west-kubernetes", inputs={"clusterIdentifier": "west"})


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource: a resource policy reads its inputs, a stack policy its outputs."""

    type: str
    name: str = "made"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] | None = None
    """The outputs; None if they are equal to the inputs."""
    protect: bool = False
    provider: Provider | None = EAST
    under: str = ""
    """The types of its parents, joined by `$`; empty for a resource below the stack."""
    needs: Mapping[str, Collection[str]] = field(default_factory=dict)
    """The URNs on which each property depends."""

    @property
    def urn(self) -> str:
        """Return the URN as the engine builds it."""
        chain = f"{self.under}${self.type}" if self.under else self.type
        return f"urn:pulumi:test::mcsps::{chain}::{self.name}"


def from_data(given: Mapping[str, Any]) -> Made:
    """
    Return a resource that a file describes.

    `provider` is the name of a cluster, by default east, or of the engine's own provider; null for none.
    """
    name = given.get("provider", "east")
    is_default = str(name).startswith("default")
    inputs = {} if is_default else {"clusterIdentifier": name}
    provider = Provider(name=name if is_default else f"{name}-kubernetes", inputs=inputs) if name else None
    return Made(**{**given, "provider": provider})


Received = ResourceValidationArgs | PolicyResource


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A finding that a policy reported."""

    resource: str
    """The logical name."""
    message: str


def judge(policy: Policy, *resources: Made, **config: Any) -> list[Finding]:  # noqa: ANN401 - JSON data has no narrower type
    """Run one policy on resources, which are one stack for a stack policy; return its findings."""
    return list(_judge(policy, resources, _arguments(policy, resources), config))


def judge_pack(policies: Sequence[Policy], *resources: Made) -> list[Finding]:
    """Run several policies on resources, which are converted once; return all findings."""
    arguments = {
        type(policy): _arguments(policy, resources) for policy in {type(each): each for each in policies}.values()
    }
    return [found for policy in policies for found in _judge(policy, resources, arguments[type(policy)], {})]


def _arguments(policy: Policy, resources: Sequence[Made]) -> list[Received]:
    if not isinstance(policy, ResourceValidationPolicy):
        return list(_received(resources))
    return [
        ResourceValidationArgs(
            made.type, as_received(made.inputs), made.urn, made.name, _options(made), _provider(made)
        )
        for made in resources
    ]


def _judge(
    policy: Policy, resources: Sequence[Made], arguments: Sequence[Received], config: Mapping[str, Any]
) -> list[Finding]:
    names = {made.urn: made.name for made in resources}
    found: list[Finding] = []

    def report(message: str, urn: str | None, name: str = "") -> None:
        found.append(Finding(resource=names[urn] if urn else name, message=message))

    if isinstance(policy, ResourceValidationPolicy):
        for args in arguments:
            assert isinstance(args, ResourceValidationArgs)
            # The engine gives each policy its own config with the same resource.
            one = ResourceValidationArgs(
                args.resource_type, args.props, args.urn, args.name, args.opts, args.provider, config
            )
            policy.validate(one, partial(report, name=args.name))
    else:
        assert isinstance(policy, StackValidationPolicy)
        received = [args for args in arguments if isinstance(args, PolicyResource)]
        policy.validate(StackValidationArgs(received, config), report)
    return found


def _received(resources: Sequence[Made]) -> list[PolicyResource]:
    """Return resources as a stack policy gets them, with those on which they depend."""
    received = [
        PolicyResource(
            made.type,
            as_received(made.inputs if made.outputs is None else made.outputs),
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
    by_urn = {found.urn: found for found in received}
    for made, found in zip(resources, received, strict=True):
        found.property_dependencies = {
            name: [by_urn[urn] for urn in urns if urn in by_urn] for name, urns in made.needs.items()
        }
    return received


def as_received(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return properties as the SDK passes them: numbers are floats, and access to an unknown raises."""
    struct = struct_pb2.Struct()
    struct.update(properties)
    return unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(struct)))


def _options(made: Made) -> PolicyResourceOptions:
    return PolicyResourceOptions(made.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def _provider(made: Made) -> PolicyProviderResource | None:
    if made.provider is None:
        return None
    urn = f"urn:pulumi:test::mcsps::{made.provider.type}::{made.provider.name}"
    return PolicyProviderResource(made.provider.type, as_received(made.provider.inputs), urn, made.provider.name)


def with_each(value: object, *resources: Made) -> Iterator[tuple[str, int, Made]]:
    """Replace one property or provider input at a time; yield its key, the resource's index and the resource."""
    for index, made in enumerate(resources):
        for place in places(made.inputs):
            yield _key(place), index, replace(made, inputs=put(made.inputs, place, value))
        if made.provider is not None:
            for place in places(made.provider.inputs):
                provider = replace(made.provider, inputs=put(made.provider.inputs, place, value))
                yield _key(place), index, replace(made, provider=provider)


def _key(place: Place) -> str:
    """Return the nearest key above a list item."""
    return next(step for step in reversed(place) if isinstance(step, str))


def assert_bears_all(policy: Policy, *clean: Made, refused: Collection[str] = (), **config: Any) -> None:  # noqa: ANN401 - JSON data has no narrower type
    """
    Check that a policy handles clean resources with any value unknown, and with values of any wrong type.

    Args:
        policy: A policy that accepts unknown values and does not raise for wrong types.
        clean: Resources without findings.
        refused: All keys of the clean resources for which the policy reports a value of some wrong type.
        config: The policy's config.
    """
    findings = judge(policy, *clean, **config)
    assert not findings, f"findings for the clean resources: {findings}"

    def refuses(value: object) -> set[str]:
        keys = set()
        for key, index, made in with_each(value, *clean):
            of_one = isinstance(policy, ResourceValidationPolicy)
            resources = (made,) if of_one else (*clean[:index], made, *clean[index + 1 :])
            if judge(policy, *resources, **config):
                keys.add(key)
        return keys

    unknown = refuses(UNKNOWN)
    assert not unknown, f"findings for an unknown value of: {sorted(unknown)}"
    wrong = set().union(*map(refuses, WRONG_VALUES))
    assert wrong == set(refused), f"findings for a wrong type of: {sorted(wrong)}; refused= has: {sorted(refused)}"


def recorded(monitor: RecordingMonitor) -> list[Made]:
    """Return the registrations of a program, including the stack and its exports."""
    components = [Made(type=STACK_TYPE, name="stack", outputs=as_plain(monitor.exports), provider=None)]
    return components + [
        Made(
            type=found.type,
            name=found.name,
            inputs=as_plain(found.inputs),
            outputs=as_plain(_recorded_outputs(monitor, found)),
            protect=found.protect,
            provider=_recorded_provider(monitor, found.provider),
            under=_parents(found.urn),
            needs={name: [_as_made(urn) for urn in urns] for name, urns in found.property_dependencies.items()},
        )
        for found in monitor.recorded
    ]


def _parents(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[0]


def _as_made(urn: str) -> str:
    """Return a recorded URN in the stack and the project of `Made`."""
    return "::".join(("urn:pulumi:test", "mcsps", *urn.split("::")[2:]))


def _recorded_outputs(monitor: RecordingMonitor, found: Registration) -> Mapping[str, Any]:
    if not (found.custom or found.remote):
        return monitor.component_outputs[found.urn]
    outcome = monitor.outcomes[found.urn]
    # Providers that are bridged from Terraform have the id as an output, and the Kubernetes provider does not.
    is_bridged = not found.type.startswith(("kubernetes:", "pulumi:"))
    return {**outcome.outputs, **({"id": outcome.id or Unknown()} if is_bridged else {})}


def _recorded_provider(monitor: RecordingMonitor, reference: str | None) -> Provider | None:
    if reference is None:
        return None
    found = monitor.registrations[reference.rpartition("::")[0]]
    return Provider(name=found.name, type=found.type, inputs=as_plain(found.inputs))


def as_plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties as they are serialized."""
    return dict(json_format.MessageToDict(to_struct(properties)))
