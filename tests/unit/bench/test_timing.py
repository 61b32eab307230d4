"""The measurement of commands."""

import os
import sys
from pathlib import Path

import pytest

from bench.timing import RunFailedError, run, take


def test_a_run_returns_what_the_command_wrote(tmp_path: Path) -> None:
    """It runs in the given folder, and searches programs in the given path first."""
    (tmp_path / "greet").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "greet").chmod(0o700)
    assert run(["/usr/bin/env", "greet"], folder=tmp_path, path=tmp_path).strip() == os.path.realpath(tmp_path)


def test_a_failed_run_says_the_end_of_what_the_command_wrote() -> None:
    """The error contains the reason, so a second run is not needed."""
    with pytest.raises(RunFailedError, match="ended with 3:\nno luck"):
        run([sys.executable, "-c", "import sys; print('no luck'); sys.exit(3)"])


def test_the_cpu_of_a_command_and_of_others_is_counted() -> None:
    """The reader returns the CPU time of other processes."""
    others = iter([1.0, 101.0])
    sample = take(lambda: run([sys.executable, "-c", "sum(range(10**6))"]), lambda: next(others))
    assert sample.wall > 0
    assert 100 < sample.cpu < 110
