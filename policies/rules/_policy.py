"""How a rule becomes a policy of Pulumi's: its checks see plain resources, and its messages say how to mend."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

from ._resources import STACK, Resource, from_args

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

    def misconfigured(self, configured: Mapping[str, Any]) -> Iterator[str]:
        """Name the parameters that there are not; the engine checks the values of those that there are, and no more."""
        allowed = ", ".join(self.schema) or "none"
        for name in configured.keys() - self.schema.keys():
            close = difflib.get_close_matches(name, self.schema, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            yield f"The policy config of {self.name} has an unknown parameter {name!r}{hint} Allowed: {allowed}"

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
        resource, configured = from_args(args), args.get_config()
        for finding in check(resource, rule.parameters(configured)):
            report(rule.message(finding), None)
        # There is one stack in every run, so this is told once.
        for fault in rule.misconfigured(configured) if resource.type == STACK else ():
            report(fault, None)

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
        resources, configured = [from_args(resource) for resource in args.resources], args.get_config()
        for resource, finding in check(resources, rule.parameters(configured)):
            report(rule.message(finding), resource.urn)
        for fault in rule.misconfigured(configured):
            report(fault, None)

    return StackValidationPolicy(
        rule.name,
        rule.description,
        validate,
        enforcement_level=rule.level,
        config_schema=rule.config_schema,
        remediation_steps=rule.remedy,
    )
