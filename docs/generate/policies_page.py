"""The page docs/reference/policies.md, from the policy pack."""

import json
from types import ModuleType

from pulumi_policy import EnforcementLevel, Policy

from docs.generate import markdown, policy_examples
from policies.lib import exceptions
from policies.lib.policy import Rule
from policies.rules import MODULES, POLICIES

INTRODUCTION = """\
The pack in `policies/` checks each preview. A violation of a mandatory policy fails the run; one of an advisory policy
is a warning. A policy config file sets parameters or another level, which can be `disabled`, by the policy's name.

Each example has the resources that one run registers: `inputs` are their properties, `under` the types of their
parents. A resource without `provider` is of the cluster east."""
EXCEPTION = """\
To except one object, give its kind and its name as here, or its URN, and the reason. Every preview shows the exception
as a warning of `mcsps-exceptions`:"""
REASON = "agreed with the team until its next release"


def render() -> str:
    """Render the page."""
    overview = markdown.table(
        ("Policy", "Level", "Rule"),
        [(f"[`{policy.name}`](#{policy.name})", _level(policy), policy.description) for policy in POLICIES],
    )
    sections = (*map(_section, MODULES), _report_section())
    return markdown.page("Policies", "policies/rules/ and policies/examples/", INTRODUCTION, overview, *sections)


def _section(module: ModuleType) -> str:
    rule: Rule = module.RULE
    examples = policy_examples.read(module)
    excepted = {"object": policy_examples.object_name(examples.broken[0]), "reason": REASON}
    return "\n\n".join(
        (
            f"## {rule.name}",
            f"{rule.description} Level: {_level(module.POLICY)}.",
            f"Why: {rule.why}",
            f"To fix a violation, {rule.remedy}.",
            f"What it cannot see: {rule.limits}",
            markdown.table(
                ("Parameter", "Type", "Default", "Meaning"),
                [
                    (f"`{name}`", str(schema["type"]), markdown.code(schema["default"]), schema["description"])
                    for name, schema in rule.parameter_schemas.items()
                ],
            ),
            "This breaks it:",
            markdown.block("yaml", examples.breaks),
            "This keeps it:",
            markdown.block("yaml", examples.keeps),
            EXCEPTION,
            markdown.block("json", json.dumps({rule.name: {exceptions.PARAMETER: [excepted]}}, indent=2)),
        )
    )


def _report_section() -> str:
    policy = exceptions.POLICY
    return (
        f"## {policy.name}\n\n{policy.description} Level: {_level(policy)}.\n\nTo end one, {policy.remediation_steps}."
    )


def _level(policy: Policy) -> str:
    return (policy.enforcement_level or EnforcementLevel.MANDATORY).value
