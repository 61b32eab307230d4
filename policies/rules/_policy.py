"""How a rule becomes a policy of Pulumi's: its checks see plain resources, and its messages say how to mend."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from ._resources import Resource, from_args

Parameters = Mapping[str, Any]
"""By name, each as its schema says: the engine refuses any other before a rule runs."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a rule says of itself."""

    name: str
    description: str
    remedy: str
    """How to mend what breaks it."""
    level: EnforcementLevel | None = None
    """None for the pack's own."""
    schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON schema of each parameter, with its default."""

    def parameters(self, configured: Mapping[str, Any]) -> Parameters:
        """All parameters, from the policy config or by default."""
        return {name: configured.get(name, schema["default"]) for name, schema in self.schema.items()}

    @property
    def config_schema(self) -> PolicyConfigSchema | None:
        """The same in the SDK's terms."""
        return PolicyConfigSchema({name: dict(schema) for name, schema in self.schema.items()}) if self.schema else None

    def message(self, finding: str) -> str:
        """Say what was found and how to mend it."""
        return f"{finding}.\nTo mend it, {self.remedy}."


def resource_policy(rule: Rule, check: Callable[[Resource, Parameters], Iterable[str]]) -> ResourceValidationPolicy:
    """Judge each resource by itself, by its inputs; `check` says what is wrong with one."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for finding in check(from_args(args), rule.parameters(args.get_config())):
            report(rule.message(finding), None)

    return ResourceValidationPolicy(
        rule.name,
        rule.description,
        validate,
        enforcement_level=rule.level,
        config_schema=rule.config_schema,
        remediation_steps=rule.remedy,
    )


def stack_policy(
    rule: Rule, check: Callable[[Sequence[Resource], Parameters], Iterable[tuple[Resource, str]]]
) -> StackValidationPolicy:
    """Judge all resources of a stack, by their outputs; `check` says what is wrong, and with which."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [from_args(resource) for resource in args.resources]
        for resource, finding in check(resources, rule.parameters(args.get_config())):
            report(rule.message(finding), resource.urn)

    return StackValidationPolicy(
        rule.name,
        rule.description,
        validate,
        enforcement_level=rule.level,
        config_schema=rule.config_schema,
        remediation_steps=rule.remedy,
    )
