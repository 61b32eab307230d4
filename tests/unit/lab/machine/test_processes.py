"""Records of processes: they identify the lab's processes and show when a restart is necessary."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from errors import UserError
from lab import spec
from lab.machine import processes

EAST = spec.clusters(1)[0]


@pytest.fixture
def sleeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Sleeper":
    """Run a process with a component's record, without root."""
    monkeypatch.setattr(spec, "STATE_DIR", tmp_path)
    return Sleeper()


class Sleeper:
    """A child process with its record."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["sleep", "60"])  # noqa: S607 - wherever it is
        path = processes.record_path(EAST, "sleeper")
        path.parent.mkdir(parents=True)
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text()
        path.write_text(f"{stat}{boot_id}some-digest\n")
        record = processes.read_record(path)
        assert record
        self.path, self.record = path, record


def test_state_and_start_time_are_found_behind_any_name() -> None:
    """A program's name may look like the fields that follow it."""
    fields = " ".join(str(number) for number in range(4, 23))
    assert processes.parse_stat(f"42 (a b) R 1 (x) S {fields}") == (42, "S", 22)


def test_own_process_is_alive_by_its_record(sleeper: Sleeper) -> None:
    """The pid, the start time and the boot id are the same."""
    assert processes.is_alive(sleeper.record)
    sleeper.process.kill()
    sleeper.process.wait()
    assert not processes.is_alive(sleeper.record)


def test_a_zombie_is_not_alive(sleeper: Sleeper) -> None:
    """A terminated component is not alive, even while the `up` that started it still runs."""
    sleeper.process.kill()
    os.waitid(os.P_PID, sleeper.process.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.is_alive(sleeper.record)
    sleeper.process.wait()


def test_a_recycled_pid_is_never_killed(sleeper: Sleeper) -> None:
    """The record's pid now belongs to a process that started at another time, or in another boot."""
    stat, boot_id, digest = sleeper.path.read_text().splitlines()
    fields = stat.split()
    fields[21] = str(sleeper.record.start_ticks - 1)
    for text in (f"{' '.join(fields)}\n{boot_id}\n{digest}\n", f"{stat}\nanother-boot\n{digest}\n"):
        sleeper.path.write_text(text)
        processes.stop(EAST, "sleeper")
        assert sleeper.process.poll() is None
        assert not sleeper.path.exists()
    sleeper.process.kill()
    sleeper.process.wait()


def test_stopping_ends_the_process_and_its_record(sleeper: Sleeper) -> None:
    """A second stop finds no record and does nothing."""
    processes.stop(EAST, "sleeper")
    assert sleeper.process.wait(5)
    assert not sleeper.path.exists()
    processes.stop(EAST, "sleeper")


@pytest.mark.parametrize("text", ["", "12", "12 (x\nboot\ndigest\n", "12 (sleep) S\nboot\n"])
def test_half_a_record_is_no_record(tmp_path: Path, text: str) -> None:
    """A full disk or a kill may leave part of a record."""
    path = tmp_path / "x.process"
    assert processes.read_record(path) is None
    path.write_text(text)
    assert processes.read_record(path) is None


@pytest.mark.usefixtures("sleeper")
def test_a_component_that_has_ended_is_named_with_its_log() -> None:
    """The remedy names the command that shows the log."""
    processes.check_alive(EAST, "sleeper")
    processes.stop(EAST, "sleeper")
    with pytest.raises(UserError) as caught:
        processes.check_alive(EAST, "sleeper")
    assert "east: sleeper has terminated" in caught.value.message
    assert "logs east sleeper" in caught.value.remedy


def test_whatever_a_component_reads_at_start_is_in_its_digest(tmp_path: Path) -> None:
    """`up` restarts a component after a change of arguments, environment or configuration."""
    config = tmp_path / "config"
    config.write_text("one")
    component = processes.Component("x", ("a", "b"), (config,))
    digests = {component.digest(), replace(component, argv=("a", "c")).digest()}
    digests.add(replace(component, environment={"A": "1"}).digest())
    config.write_text("two")
    assert len(digests | {component.digest()}) == 4
