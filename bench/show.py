"""Prints the tables of the results."""

import sys
from collections.abc import Iterable

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench import stats
from bench.stats import Comparison

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
