"""Runs processes and measures their time."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.stats import Sample, Side
from errors import UserError

ROOT = Path(__file__).resolve().parents[1]
OUTPUT_LINES = 30


class RunFailedError(UserError):
    """A measured process failed; the text contains the end of its output."""


def run(command: Sequence[str], *, folder: Path = ROOT, path: Path | None = None) -> str:
    """
    Run a command and return its standard output.

    Args:
        command: The program and its arguments.
        folder: The current folder of the command.
        path: A folder to search first for programs.

    Raises:
        RunFailedError: The exit code is not 0.
    """
    done = subprocess.run(  # noqa: S603 - commands of the bench's own
        command,
        cwd=folder,
        env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        output = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-OUTPUT_LINES:])
        raise RunFailedError(f"{' '.join(command[:4])} ended with {done.returncode}:\n{output}")
    return done.stdout


def take(work: Callable[[], object], other_cpu: Callable[[], float] = float) -> Sample:
    """
    Measure the time of `work`, and the CPU time of the processes that it starts and waits for.

    Args:
        work: What to measure.
        other_cpu: Reads the total CPU seconds of other processes that do work for it.
    """
    before, start = _children_cpu() + other_cpu(), time.monotonic()
    work()
    return Sample(wall=time.monotonic() - start, cpu=_children_cpu() + other_cpu() - before)


def alternate(pairs: int) -> Iterator[tuple[int, Side]]:
    """Yield the order of the runs of a comparison: pair by pair, and every second pair begins with the floor."""
    for pair in range(1, pairs + 1):
        for side in (Side.OURS, Side.FLOOR) if pair % 2 else (Side.FLOOR, Side.OURS):
            yield pair, side


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
