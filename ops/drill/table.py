"""The drill's report as tables and lines."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.drill.report import DrillReport, Phase, PhaseRow, ScenarioRow, SourceRow

_OK = Text("ok", style="green")
_FAILED = Text("FAILED", style="bold red")
_AWAY = Text("away", style="dim")


def show(report: DrillReport, console: Console) -> None:
    """Print header, bound, a table for each scenario, what failed, and the verdict."""
    console.print(
        f"[bold]stack {report.stack}, mesh {report.mesh}[/bold]: {report.cluster} is taken down, v2 wanted "
        f"{report.v2_weight} %, {report.rate:g} requests per second from each source"
    )
    console.print(Text(_detection(report)))
    for note in report.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    for scenario in report.scenarios:
        console.print(_table(report, scenario))
        for line in _faults(scenario):
            console.print(Text(line, style="red"))
    verdict = "[bold green]passed[/]" if report.ok else "[bold red]FAILED[/]"
    good = sum(scenario.ok for scenario in report.scenarios)
    console.print(f"{verdict}: {good} of {len(report.scenarios)} scenarios")


def _detection(report: DrillReport) -> str:
    rule = report.detection
    if rule is None:
        return "bound: none, because without outlier detection no failed endpoint is detected; failures are not judged"
    tries = f", a try on an open one after {rule.per_try_timeout_seconds:g} s" if rule.per_try_timeout_seconds else ""
    return (
        f"bound: {rule.errors} errors to eject an endpoint for {rule.base_ejection_seconds:g} s, at most "
        f"{rule.max_ejection_percent} % of them; interval {rule.interval_seconds:g} s; a connection without an answer "
        f"fails after {rule.connect_timeout_seconds:g} s{tries}"
    )


def _table(report: DrillReport, scenario: ScenarioRow) -> Table:
    bound = "none" if scenario.bound_seconds is None else f"{scenario.bound_seconds:.1f} s"
    title = f"{scenario.target} {scenario.failure_mode} for {scenario.away_seconds:.0f} s, bound {bound}"
    table = Table("phase", "from", title=title, title_justify="left")
    for header in ("requests", "failed", "v1", "v2", f"by {report.cluster}", "slowest", "until"):
        table.add_column(header, justify="right")
    table.add_column("")
    for phase in Phase:
        for source in scenario.sources:
            (row,) = (row for row in source.phases if row.phase is phase)
            table.add_row(phase, f"{source.cluster} {source.kind}", *_numbers(source, row), _mark(source, phase))
        table.add_section()
    return table


def _numbers(source: SourceRow, row: PhaseRow) -> tuple[str, ...]:
    good = row.requests > row.failed
    shares = [f"{row.shares.get(version, 0.0):.1%}" if good else "-" for version in ("v1", "v2")]
    return (
        str(row.requests),
        str(row.failed),
        *shares,
        f"{row.drilled_share:.1%}" if good else "-",
        f"{row.slowest_seconds:.2f} s",
        _until(source, row.phase),
    )


def _until(source: SourceRow, phase: Phase) -> str:
    if phase is Phase.AWAY and source.detected_seconds is not None:
        return f"{source.detected_seconds:.1f} s"
    if phase is Phase.BACK:
        return "never" if source.returned_seconds is None else f"{source.returned_seconds:.1f} s"
    return ""


def _mark(source: SourceRow, phase: Phase) -> Text:
    if phase is Phase.AWAY:
        return _AWAY if source.away else (_FAILED if source.late else _OK)
    if phase is Phase.BACK:
        return _FAILED if source.returned_seconds is None else _OK
    return Text()


def _faults(scenario: ScenarioRow) -> Iterator[str]:
    for source in scenario.sources:
        name = f"{source.cluster} {source.kind}"
        if source.late:
            yield f"{name}: {source.late} failed beyond the bound: {_errors(source)}"
        if source.returned_seconds is None:
            yield f"{name}: the configured split did not return"


def _errors(source: SourceRow) -> str:
    counts: dict[str, int] = {}
    for row in source.phases:
        for error, count in row.errors.items():
            counts[error] = counts.get(error, 0) + count
    return ", ".join(f"{count} x {error}" for error, count in counts.items())
