"""The page docs/reference/policies.md, from the policy pack."""

from pulumi_policy import EnforcementLevel, Policy

from docs.generate import markdown
from policies.rules import POLICIES

INTRODUCTION = """\
The pack in `policies/` checks each preview. A violation of a mandatory policy fails the run; one of an advisory policy
is a warning. A policy config file sets parameters or another level, which can be `disabled`, by the policy's name."""


def render() -> str:
    """Render the page."""
    overview = markdown.table(
        ("Policy", "Level", "Rule"),
        [(f"[`{policy.name}`](#{policy.name})", _level(policy), policy.description) for policy in POLICIES],
    )
    return markdown.page("Policies", "policies/rules/", INTRODUCTION, overview, *map(_section, POLICIES))


def _section(policy: Policy) -> str:
    remedy = str(policy.remediation_steps)
    parts = [
        f"## {policy.name}",
        f"{policy.description} Level: {_level(policy)}.",
        f"To fix a violation, {remedy}.",
    ]
    if policy.config_schema:
        rows = [
            (f"`{name}`", str(schema["type"]), markdown.code(schema["default"]), schema["description"])
            for name, schema in policy.config_schema.properties.items()
        ]
        parts.append(markdown.table(("Parameter", "Type", "Default", "Meaning"), rows))
    return "\n\n".join(parts)


def _level(policy: Policy) -> str:
    return (policy.enforcement_level or EnforcementLevel.MANDATORY).value
