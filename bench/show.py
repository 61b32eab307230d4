"""Prints the tables of the results."""

import sys
from collections.abc import Iterable

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench import stats
from bench.stats import Comparison
from bench.timeline import Timeline

# Without a terminal, the widest table sets the width.
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def comparisons(title: str, ours: str, floor: str, rows: Iterable[tuple[str, Comparison]]) -> None:
    """Print comparisons with two lines each: seconds from start to end, and CPU seconds."""
    table = Table(
        "", "seconds", ours, floor, "ratio", title=f"{title}: median (range)", box=SIMPLE, title_justify="left"
    )
    for name, both in rows:
        table.add_row(name, "wall", *map(str, (stats.wall(both.ours), stats.wall(both.floor), both.wall_ratio)))
        table.add_row("", "CPU", *map(str, (stats.cpu(both.ours), stats.cpu(both.floor), both.cpu_ratio)))
    console.print(table)


def timeline(found: Timeline) -> None:
    """Print the critical path of a run, and where the seconds of the whole run went."""
    table = Table(title="Critical path of `up`", box=SIMPLE, title_justify="left")
    for column in ("step", "start", "end", "seconds", "waited for", "gap"):
        table.add_column(column, overflow="fold")
    for wait in found.path:
        step = wait.step
        times = [f"{seconds:.2f}" for seconds in (step.start, step.end, step.seconds)]
        before = wait.waited_for.label if wait.waited_for else "the start of the program"
        table.add_row(step.label, *times, before, f"{wait.gap:.2f}")
    console.print(table)
    console.print(
        f"whole: {found.seconds:.1f} s = {found.path_seconds:.1f} s in {len(found.path)} steps + "
        f"{found.gap_seconds:.1f} s between them (program and engine) + {found.rest_seconds:.1f} s after the last one\n"
        f"{found.resources} resources, {len(found.steps)} steps, state {found.state_bytes / 1e6:.2f} MB"
    )
