"""Draws a timeline: a bar for each step, and the critical path through them."""

from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.timeline import Timeline

_CRITICAL = "black"
_WIDTH, _ROW, _FRAME = 14, 0.15, 1.2
"""Inches: the width of the picture, the height of a step, and the height of title and axis."""
_FONT_SIZE = 6


def draw(timeline: Timeline, path: Path) -> None:
    """Write the picture, in the format of the path's suffix."""
    steps = [wait.step for wait in timeline.waits]
    rows = {step: row for row, step in enumerate(steps)}
    critical = {wait.step for wait in timeline.path}
    groups = sorted({step.group for step in steps})
    colours = dict(zip(groups, cycle(mpl.color_sequences["tab20"]), strict=False))
    figure = Figure(figsize=(_WIDTH, len(steps) * _ROW + _FRAME), layout="constrained")
    place = figure.subplots()
    place.barh(
        range(len(steps)),
        [step.seconds for step in steps],
        left=[step.start for step in steps],
        color=[colours[step.group] for step in steps],
        edgecolor=[_CRITICAL if step in critical else "none" for step in steps],
        linewidth=1.2,
    )
    for wait in timeline.path:
        if wait.waited_for:
            gap = [wait.waited_for.end, wait.step.start, wait.step.start]
            place.plot(gap, [rows[wait.waited_for]] * 2 + [rows[wait.step]], color=_CRITICAL, linewidth=0.8)
    place.set_yticks(range(len(steps)), [step.label for step in steps], fontsize=_FONT_SIZE)
    for label, step in zip(place.get_yticklabels(), steps, strict=True):
        label.set_fontweight("bold" if step in critical else "normal")
    place.set_ylim(len(steps) - 0.5, -0.5)
    place.set_xlim(0, timeline.seconds)
    place.grid(axis="x", linewidth=0.3)
    place.set_axisbelow(True)
    place.set_xlabel("seconds from the start of the command")
    place.set_title(
        f"up: {timeline.seconds:.1f} s, {len(steps)} steps; critical path: {timeline.path_seconds:.1f} s in steps, "
        f"{timeline.gap_seconds:.1f} s between them, {timeline.rest_seconds:.1f} s after the last one",
        loc="left",
    )
    handles = [Patch(color=colours[group], label=group or "in no component") for group in groups]
    handles.append(Patch(facecolor="none", edgecolor=_CRITICAL, label="critical path"))
    place.legend(handles=handles, fontsize=_FONT_SIZE, loc="lower left")
    figure.savefig(path, dpi=150)
