"""Pulumi policies from rules: a rule's check gets plain resources, and each violation says how to fix it."""

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

from policies.lib import exceptions
from policies.lib.exceptions import LEDGER
from policies.lib.resources import STACK, Resource, from_args

Parameters = Mapping[str, Any]
"""Values by name. The engine validates them against the rule's schema before the rule runs."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule's name, texts, level and parameters."""

    name: str
    description: str
    remedy: str
    """How to fix a violation: an imperative without a capital and without a full stop."""
    why: str
    """What goes wrong without the rule: one or more sentences for the reference."""
    limits: str
    """What the rule cannot see: one or more sentences for the reference."""
    level: EnforcementLevel | None = None
    """The enforcement level; None for the pack's, which is mandatory."""
    schema: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """JSON schema of each parameter of its own, with its default."""

    @property
    def parameter_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """JSON schema of each parameter, with those that every rule has."""
        return {**self.schema, exceptions.PARAMETER: exceptions.SCHEMA}

    def parameters(self, configured: Mapping[str, Any]) -> Parameters:
        """All parameters, from the policy config or by default."""
        return {name: configured.get(name, schema["default"]) for name, schema in self.schema.items()}

    def misconfigured(self, configured: Mapping[str, Any]) -> Iterator[str]:
        """Report unknown parameters, which the engine ignores."""
        known = self.parameter_schemas
        for name in configured.keys() - known.keys():
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            fault = f"The policy config of {self.name} has an unknown parameter {name!r}"
            yield f"{fault}{hint} Allowed: {', '.join(known)}"

    @property
    def config_schema(self) -> PolicyConfigSchema:
        """The schema as the SDK's type."""
        return PolicyConfigSchema({name: dict(schema) for name, schema in self.parameter_schemas.items()})

    def message(self, finding: str) -> str:
        """The text of a violation: the finding and the remedy."""
        return f"{finding}.\nTo fix it, {self.remedy}."


def resource_policy(rule: Rule, check: Callable[[Resource, Parameters], Iterable[str]]) -> ResourceValidationPolicy:
    """Make a policy that checks each resource by itself; `check` gets its inputs and yields findings."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource, configured = from_args(args), args.get_config()
        exempt = LEDGER.read(rule.name, configured.get(exceptions.PARAMETER))
        for finding in check(resource, rule.parameters(configured)):
            if not LEDGER.use(exempt, resource):
                report(rule.message(finding), None)
        # There is one stack in every run, so this is reported once.
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
    """Make a policy that checks a stack as a whole; `check` gets all outputs and yields resources with findings."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources, configured = [from_args(resource) for resource in args.resources], args.get_config()
        exempt = LEDGER.read(rule.name, configured.get(exceptions.PARAMETER))
        for resource, finding in check(resources, rule.parameters(configured)):
            if not LEDGER.use(exempt, resource):
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
