"""Draws the split over time: a row for each scenario, a column for each source."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from errors import UserError
from ops.drill.report import DrillReport, ScenarioRow, SourceRow

SUFFIXES = (".pdf", ".png", ".svg")
_COLOURS = {"v1": "#4878a8", "v2": "#e8a33d", "failed": "#c0392b"}
_WIDTH, _HEIGHT = 3.6, 2.0


def check(path: Path) -> None:
    """
    Check before a drill that its picture can be written after it.

    Raises:
        UserError: It cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"--picture {path} has no supported suffix", f"Use one of these: {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise UserError(f"the folder of --picture {path} does not exist", "Create it first")


def draw(report: DrillReport, path: Path) -> None:
    """Write the picture, in the format of the path's suffix."""
    rows, columns = len(report.scenarios), max(len(scenario.sources) for scenario in report.scenarios)
    figure = Figure(figsize=(columns * _WIDTH, rows * _HEIGHT + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for scenario, places in zip(report.scenarios, axes, strict=True):
        for source, place in zip(scenario.sources, places, strict=True):
            _plot(place, scenario, source)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
    figure.suptitle(
        f"{report.cluster} taken down: requests per second, v2 wanted {report.v2_weight} %", x=0.01, ha="left"
    )
    figure.supxlabel("seconds from the cut")
    figure.savefig(path)


def series(source: SourceRow) -> dict[str, list[int]]:
    """Return each `second` with its requests of each version and its failed ones; a second without any has zeros."""
    by_second = {row.second: row for row in source.timeline}
    seconds = list(range(min(by_second, default=0), max(by_second, default=-1) + 1))
    rows = [by_second.get(second) for second in seconds]
    counts = {version: [row.versions.get(version, 0) if row else 0 for row in rows] for version in ("v1", "v2")}
    return {"second": seconds, **counts, "failed": [row.failed if row else 0 for row in rows]}


def _plot(place: Axes, scenario: ScenarioRow, source: SourceRow) -> None:
    # The last second needs an end to be as wide as the others.
    lines = {name: [*numbers, *numbers[-1:]] for name, numbers in series(source).items()}
    seconds = [*lines["second"][:-1], *(second + 1 for second in lines["second"][-1:])]
    counts = {name: numbers for name, numbers in lines.items() if name != "second"}
    colours = [_COLOURS[name] for name in counts]
    place.stackplot(seconds, *counts.values(), labels=list(counts), colors=colours, step="post")
    _, *later = scenario.starts.values()
    for start in later:
        place.axvline(start, color="black", linewidth=1)
    if scenario.judged_seconds is not None:
        place.axvline(scenario.judged_seconds, color="black", linewidth=1, linestyle=":")
    away = " (away)" if source.away else ""
    place.set_title(
        f"{scenario.target} {scenario.failure_mode}: {source.cluster} {source.kind}{away}", fontsize="small"
    )
