"""The page docs/reference/verify.md, from the checks and the causes of `python -m ops verify`."""

from docs.generate import markdown
from ops.verify.checks import CAUSES, CHECKS

INTRODUCTION = """\
`python -m ops verify` checks each cluster and each link, and sends requests from every cluster. If it can, it names the
cause of failed checks, with a remedy. For a failed check without a cause it gives the hint of that check."""


def render() -> str:
    """Render the page."""
    causes = [(f"`{cause.name}`", cause.meaning, f"{cause.remedy}.") for cause in CAUSES]
    checks = [(f"`{check.id}`", check.meaning, _mending(check.hint)) for check in CHECKS]
    return markdown.page(
        "Checks of verify",
        "ops/verify/",
        INTRODUCTION,
        "## Causes",
        markdown.table(("Cause", "What is wrong", "Remedy"), causes),
        "## Checks",
        markdown.table(("Check", "What holds where it passes", "Hint if it fails without a cause"), checks),
    )


def _mending(hint: str) -> str:
    return f"{hint}." if hint else ""
