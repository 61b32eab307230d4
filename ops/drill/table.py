"""The drill's report as tables and lines."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.drill.report import DrillReport, Phase, PhaseRow, ScenarioRow, SourceRow
from ops.drill.scenario import ScenarioKind

_OK = Text("ok", style="green")
_FAILED = Text("FAILED", style="bold red")
_AWAY = Text("away", style="dim")
_OUTAGE = (Phase.DEAD, Phase.AWAY)


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
        console.print(Text(f"lost: {', '.join(f'{phase} {count}' for phase, count in scenario.lost.items())}"))
        for line in _faults(scenario):
            console.print(Text(line, style="red"))
    verdict = "[bold green]passed[/]" if report.ok else "[bold red]FAILED[/]"
    good = sum(scenario.ok for scenario in report.scenarios)
    console.print(f"{verdict}: {good} of {len(report.scenarios)} scenarios")


def _detection(report: DrillReport) -> str:
    rule = report.detection
    if rule is None:
        has_ups = any(scenario.grace_seconds is not None for scenario in report.scenarios)
        judged = "judged after an `up` alone" if has_ups else "not judged"
        return f"bound: none, because without outlier detection no failed endpoint is detected; failures are {judged}"
    tries = f", a try on an open one after {rule.per_try_timeout_seconds:g} s" if rule.per_try_timeout_seconds else ""
    return (
        f"bound: {rule.errors} errors to eject an endpoint for {rule.base_ejection_seconds:g} s, at most "
        f"{rule.max_ejection_percent} % of them; interval {rule.interval_seconds:g} s; a connection without an answer "
        f"fails after {rule.connect_timeout_seconds:g} s{tries}"
    )


def _table(report: DrillReport, scenario: ScenarioRow) -> Table:
    table = Table("phase", "from", title=_title(scenario), title_justify="left")
    for header in ("requests", "failed", "v1", "v2", f"by {report.cluster}", "slowest", "until"):
        table.add_column(header, justify="right")
    table.add_column("")
    *_, last = scenario.starts
    for phase in scenario.starts:
        for source in scenario.sources:
            (row,) = (row for row in source.phases if row.phase is phase)
            numbers = _numbers(source, row, is_last=phase is last)
            table.add_row(phase, f"{source.cluster} {source.kind}", *numbers, _mark(source, phase, last))
        table.add_section()
    return table


def _title(scenario: ScenarioRow) -> str:
    down = f"{scenario.target} {scenario.failure_mode} for {scenario.away_seconds:.0f} s"
    if scenario.grace_seconds is not None:
        moved = scenario.starts[Phase.AWAY]
        return f"{down}, `up` after {moved:.0f} s; no request may fail later than {scenario.grace_seconds:g} s after it"
    return f"{down}, bound {'none' if scenario.bound_seconds is None else f'{scenario.bound_seconds:.1f} s'}"


def _numbers(source: SourceRow, row: PhaseRow, *, is_last: bool) -> tuple[str, ...]:
    good = row.requests > row.failed
    shares = [f"{row.shares.get(version, 0.0):.1%}" if good else "-" for version in ("v1", "v2")]
    return (
        str(row.requests),
        str(row.failed),
        *shares,
        f"{row.drilled_share:.1%}" if good else "-",
        f"{row.slowest_seconds:.2f} s",
        _until(source, row, is_last=is_last),
    )


def _until(source: SourceRow, row: PhaseRow, *, is_last: bool) -> str:
    if row.phase in _OUTAGE and not source.away:
        return f"{row.failing_seconds:.1f} s"
    if is_last:
        return "never" if source.returned_seconds is None else f"{source.returned_seconds:.1f} s"
    return ""


def _mark(source: SourceRow, phase: Phase, last: Phase) -> Text:
    if phase is last:
        return _FAILED if source.returned_seconds is None else _OK
    if source.away and phase is not Phase.HEALTHY:
        return _AWAY
    if phase is Phase.AWAY:
        return _FAILED if source.late else _OK
    return Text()


def _faults(scenario: ScenarioRow) -> Iterator[str]:
    for source in scenario.sources:
        name = f"{source.cluster} {source.kind}"
        if source.late:
            limit = "the bound" if scenario.kind is ScenarioKind.FAILOVER else "the `up` and its grace"
            yield f"{name}: {source.late} failed beyond {limit}: {_errors(source)}"
        if source.returned_seconds is None:
            yield f"{name}: the configured split did not return"


def _errors(source: SourceRow) -> str:
    counts: dict[str, int] = {}
    for row in source.phases:
        for error, count in row.errors.items():
            counts[error] = counts.get(error, 0) + count
    return ", ".join(f"{count} x {error}" for error, count in counts.items())
