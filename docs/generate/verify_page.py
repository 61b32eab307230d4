"""The page docs/reference/verify.md, from the checks and the causes of `python -m ops verify`."""

from docs.generate import markdown
from ops.verify.causes import REMEDIES
from ops.verify.conclude import HINTS
from ops.verify.report import CheckId

INTRODUCTION = """\
`python -m ops verify` checks each cluster and each link, and sends requests from every cluster. If it can, it names the
cause of failed checks, with a remedy. For a failed check without a cause it gives the hint of that check."""


def render() -> str:
    """Render the page."""
    causes = [(f"`{cause}`", remedy) for cause, remedy in REMEDIES.items()]
    checks = [(f"`{check}`", HINTS.get(check, "")) for check in CheckId]
    return markdown.page(
        "Checks of verify",
        "ops/verify/",
        INTRODUCTION,
        "## Causes",
        markdown.table(("Cause", "Remedy"), causes),
        "## Checks",
        markdown.table(("Check", "Hint if it fails without a cause"), checks),
    )
