"""The page docs/reference/verify.md, from the checks of `python -m ops verify`."""

from docs.generate import markdown
from ops.verify.check import Cause, Check
from ops.verify.checks import CAUSES, CHECKS

INTRODUCTION = """\
`python -m ops verify` checks each cluster and each link, and sends requests from every cluster. If it can, it names the
cause of failed checks, with a remedy. A failure that follows from a cause elsewhere names that cause. For a failed
check without a cause it gives the hint of that check."""


def render() -> str:
    """Render the page."""
    return markdown.page(
        "Checks of verify",
        "ops/verify/checks/",
        INTRODUCTION,
        "## Causes",
        "The most fundamental one comes first.",
        markdown.table(("Cause", "Meaning", "Remedy", "Shown by"), map(_cause, CAUSES)),
        "## Checks",
        markdown.table(("Check", "Passes if", "Hint if it fails without a cause"), map(_check, CHECKS)),
    )


def _cause(cause: Cause) -> tuple[str, ...]:
    shown_by = ", ".join(markdown.code(check.id) for check in CHECKS if cause in check.causes)
    return markdown.code(cause.name), cause.meaning, f"{cause.remedy}.", shown_by


def _check(check: Check) -> tuple[str, ...]:
    return markdown.code(check.id), check.meaning, f"{check.hint}." if check.hint else ""
