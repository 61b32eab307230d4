"""The report as tables and lines."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.verify.check import CheckState
from ops.verify.checks import CHECKS, endpoints
from ops.verify.report import CheckResult, Report, Traffic

_MARKS = {
    CheckState.PASSED: Text("ok", style="green"),
    CheckState.WARNING: Text("warning", style="yellow"),
    CheckState.FAILED: Text("FAILED", style="bold red"),
    CheckState.SKIPPED: Text("skipped", style="dim"),
}
_COLUMNS = {check.id: check.column for check in CHECKS if check.column}
_WORST_FIRST = (CheckState.FAILED, CheckState.WARNING, CheckState.SKIPPED, CheckState.PASSED)


def show(report: Report, console: Console) -> None:
    """Print header, clusters, endpoints, traffic, what failed, and the causes."""
    bound = next((row.bound for row in report.traffic), 0.0)
    console.print(
        f"[bold]stack {report.stack}, mesh {report.mesh}[/bold]: v2 wanted {report.v2_weight} %, "
        f"n = {report.requests} a loop, bound +-{bound:.1%}"
    )
    console.print(_clusters(report))
    console.print(_endpoints(report))
    console.print(_traffic(report))
    _print_failures(report, console)
    _print_causes(report, console)
    verdict = "[bold green]all holds[/]" if report.ok else "[bold red]does not hold[/]"
    console.print(f"{verdict}: {sum(check.ok for check in report.checks)} of {len(report.checks)} checks")
    if report.away:
        console.print(f"[yellow]not verified: {', '.join(report.away)}[/], away by the config")


def _clusters(report: Report) -> Table:
    table = Table("cluster", *_COLUMNS.values(), title="clusters", title_justify="left")
    for cluster in dict.fromkeys(check.cluster for check in report.checks):
        cells = [
            _mark([check for check in report.checks if (check.cluster, check.id) == (cluster, wanted)])
            for wanted in _COLUMNS
        ]
        table.add_row(cluster, *cells)
    return table


def _endpoints(report: Report) -> Table:
    table = Table("sidecar in", "pods of", "endpoints", "", title="endpoints", title_justify="left")
    for check in report.checks:
        if check.id == endpoints.CHECK.id:
            table.add_row(check.cluster, check.peer or check.cluster, Text(check.seen), _MARKS[check.state])
    return table


def _traffic(report: Report) -> Table:
    numbers = ("v1", "v2", "failed", "v1 share", "v2 share", "v2 wanted", "pods")
    table = Table("from", "url", title="traffic", title_justify="left")
    for header in numbers:
        table.add_column(header, justify="right")
    table.add_column("")
    for row in report.traffic:
        table.add_row(
            f"{row.cluster} {row.source} {row.audience}".rstrip(),
            row.url,
            *_numbers(row),
            _MARKS[CheckState.of(passed=row.ok)],
        )
    return table


def _numbers(row: Traffic) -> tuple[str, ...]:
    return (
        str(row.v1),
        str(row.v2),
        str(row.failed),
        f"{row.v1_share:.1%}",
        f"{row.v2_share:.1%}",
        f"{row.v2_expected:.1%} +-{row.bound:.1%}",
        str(row.instances),
    )


def _print_failures(report: Report, console: Console) -> None:
    for check in report.checks:
        if check.state in {CheckState.FAILED, CheckState.WARNING}:
            console.print(_MARKS[check.state], Text(f"{check.place}: {check.seen}"))
            if check.consequence_of:
                console.print(Text(f"    follows from: {check.consequence_of}", style="dim"))
            elif check.remedy and not check.cause:
                console.print(Text(f"    {check.remedy}", style="dim"))


def _print_causes(report: Report, console: Console) -> None:
    for cause in report.causes:
        where = f" in {cause.cluster}" if cause.cluster else ""
        link = f", reading {cause.peer}" if cause.peer else ""
        console.print(Text(f"cause: {cause.cause}{where}{link}", style="bold red"))
        console.print(Text(f"    seen: {cause.seen}"))
        console.print(Text(f"    remedy: {cause.remedy}"))
        if cause.consequences:
            console.print(Text(f"    brings about: {', '.join(cause.consequences)}", style="dim"))


def _mark(checks: list[CheckResult]) -> Text:
    states = {check.state for check in checks}
    return _MARKS[next((state for state in _WORST_FIRST if state in states), CheckState.SKIPPED)]
