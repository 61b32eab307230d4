"""Runs processes and takes their time."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.stats import Sample, Side
from errors import UserError

ROOT = Path(__file__).resolve().parents[1]
SAID_LINES = 30


class RunFailedError(UserError):
    """A measured process failed; the text is the end of what it said."""


def run(command: Sequence[str], *, folder: Path = ROOT, path: Path | None = None) -> str:
    """
    Run a command and return its standard output.

    Args:
        command: The program and its arguments.
        folder: The current folder of the command.
        path: A folder to look for programs in before all others.

    Raises:
        RunFailedError: It ended with another code than 0.
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
        said = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-SAID_LINES:])
        raise RunFailedError(f"{' '.join(command[:4])} ended with {done.returncode}:\n{said}")
    return done.stdout


def take(work: Callable[[], object], other_cpu: Callable[[], float] = float) -> Sample:
    """
    Take the time of `work`, and the CPU time of the processes that it starts and waits for.

    Args:
        work: What to measure.
        other_cpu: Reads the CPU seconds, ever growing, of processes that work for it and are not its own.
    """
    before, start = _children_cpu() + other_cpu(), time.monotonic()
    work()
    return Sample(wall=time.monotonic() - start, cpu=_children_cpu() + other_cpu() - before)


def alternate(pairs: int) -> Iterator[tuple[int, Side]]:
    """
    Order the runs of a comparison.

    Pairs are measured one right after the other, and every second one begins with the floor.
    """
    for pair in range(1, pairs + 1):
        for side in (Side.OURS, Side.FLOOR) if pair % 2 else (Side.FLOOR, Side.OURS):
            yield pair, side


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
