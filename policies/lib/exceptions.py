"""Exceptions from a rule for one object, which a policy config lists with a reason, and their report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import EnforcementLevel, ReportViolation, StackValidationArgs, StackValidationPolicy

from policies.lib.resources import Resource
from policies.lib.values import items, look

PARAMETER = "exceptions"
OBJECT = "object"
REASON = "reason"
_TEXT = {"type": "string", "minLength": 1}
SCHEMA: Mapping[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {OBJECT: _TEXT, REASON: _TEXT},
        "required": [OBJECT, REASON],
        "additionalProperties": False,
    },
    "default": [],
    "description": "Objects that the rule leaves out, each by its kind and name or by its URN, with the reason.",
}
NAME = "mcsps-exceptions"
DESCRIPTION = "Every exception from a rule is shown with its reason, and one that is no longer needed is reported."
REMEDY = "remove the exception from the policy config when its reason is gone"


@dataclass(frozen=True, kw_only=True)
class Exempt:
    """One object that a rule leaves out."""

    rule: str
    object: str
    """The kind and name, such as `ClusterRole reader of cluster east`, or the URN."""
    reason: str

    def is_for(self, resource: Resource) -> bool:
        """Whether this is the exception of a resource."""
        return self.object in (resource.urn, str(resource))


@dataclass(kw_only=True)
class Ledger:
    """The exceptions of a run. The rules enter them, and the report removes them."""

    found: dict[Exempt, str | None] = field(default_factory=dict)
    """The URN of the object that needed each exception; None if no object has needed it."""

    def read(self, rule: str, configured: object) -> tuple[Exempt, ...]:
        """Enter the exceptions in a rule's config, without those of a wrong form, which the engine refuses."""
        entries = [(look(entry, OBJECT), look(entry, REASON)) for entry in items(configured)]
        exempt = tuple(
            Exempt(rule=rule, object=name, reason=reason)
            for name, reason in entries
            if isinstance(name, str) and isinstance(reason, str) and name.strip() and reason.strip()
        )
        for exception in exempt:
            self.found.setdefault(exception, None)
        return exempt

    def use(self, exempt: tuple[Exempt, ...], resource: Resource) -> bool:
        """Whether a resource is excepted from a rule; the report then shows it."""
        for exception in exempt:
            if exception.is_for(resource):
                self.found[exception] = resource.urn
                return True
        return False

    def take(self) -> Iterator[tuple[str, str | None]]:
        """Remove all exceptions; yield a message for each, and the URN of its object."""
        found, self.found = self.found, {}
        for exception, urn in found.items():
            of = f"{exception.object} is excepted from {exception.rule}"
            needed = "" if urn else "; nothing needed this exception"
            yield f"{of}: {exception.reason}{needed}", urn


LEDGER = Ledger()
"""The ledger of this process. The report needs it, because the engine gives each policy only its own config."""


def _report(_: StackValidationArgs, report: ReportViolation) -> None:
    for message, urn in LEDGER.take():
        report(f"{message}.\nTo end it, {REMEDY}.", urn)


POLICY = StackValidationPolicy(
    NAME, DESCRIPTION, _report, enforcement_level=EnforcementLevel.ADVISORY, remediation_steps=REMEDY
)
"""It runs after all others, so it is the last one of the pack."""
