"""
Starts, finds and stops the components that are plain processes of the host.

A started process leaves a record: its line of /proc/<pid>/stat, the machine's boot id, and a digest of its command
line, environment and configuration. The record matches by pid, start time and boot id together, so a pid that the
kernel has reused never counts as the lab's.
"""

import hashlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from errors import UserError
from lab.machine import files
from lab.machine.command import ENVIRONMENT, inside

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TERM_SECONDS = 10.0
_POLL_SECONDS = 0.2
_RECORD_SECONDS = 5.0
# The process joins its cgroup and writes its own record: `up` may be killed at any moment.
_LAUNCHER = """set -e
umask 022
ulimit -S -n "$(ulimit -H -n)"
echo $$ >"$1"
{ cat /proc/$$/stat "$2"; echo "$3"; } >"$4.new"
mv "$4.new" "$4"
shift 4
exec "$@"
"""


class Place(Protocol):
    """Where a process runs, and where its record and its log are, such as a cluster."""

    @property
    def name(self) -> str:
        """The name in messages."""

    @property
    def netns_path(self) -> Path:
        """The network namespace."""

    @property
    def mountns_path(self) -> Path:
        """The mount namespace of the processes that see the node's file system."""

    @property
    def run(self) -> Path:
        """The folder of the records."""

    @property
    def logs(self) -> Path:
        """The folder of the logs."""


@dataclass(frozen=True)
class Component:
    """A program that runs as long as its cluster."""

    name: str
    argv: tuple[str, ...]
    config_files: tuple[Path, ...] = ()
    """Files that the program reads only at its start, so that a change of one requires a restart."""
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path = Path("/")
    in_node_mounts: bool = False
    """Whether it sees the node's file system instead of the host's."""

    def digest(self) -> str:
        """Return a fingerprint of the command line, environment and configuration."""
        parts = [*self.argv, *(f"{key}={value}" for key, value in sorted(self.environment.items()))]
        contents = [path.read_bytes() for path in self.config_files]
        return hashlib.sha256(b"\0".join([*map(str.encode, parts), *contents])).hexdigest()


@dataclass(frozen=True)
class Record:
    """A process that was started."""

    pid: int
    start_ticks: int
    """Since boot, in the kernel's clock ticks."""
    boot_id: str
    digest: str


def parse_stat(line: str) -> tuple[int, str, int]:
    """Return pid, state letter and start time of a line of /proc/<pid>/stat: pure."""
    # The second field is the command in parentheses, and may contain blanks and parentheses.
    before, _, after = line.rpartition(")")
    fields = after.split()
    return int(before.split(maxsplit=1)[0]), fields[0], int(fields[19])


def record_path(spec: Place, name: str) -> Path:
    """Return the path of a component's record."""
    return spec.run / f"{name}.process"


def log_path(spec: Place, name: str) -> Path:
    """Return the path of a component's output."""
    return spec.logs / f"{name}.log"


def read_record(path: Path) -> Record | None:
    """Return the record, or None if it is missing or incomplete."""
    try:
        stat, boot_id, digest = path.read_text().splitlines()
        pid, _, start_ticks = parse_stat(stat)
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return Record(pid, start_ticks, boot_id, digest)


def is_alive(record: Record | None) -> bool:
    """Return whether the recorded process, and not another one with its pid, still runs."""
    if record is None or record.boot_id != _BOOT_ID.read_text().strip():
        return False
    try:
        _, state, start_ticks = parse_stat(Path(f"/proc/{record.pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX" and start_ticks == record.start_ticks


def ensure(spec: Place, component: Component, procs_file: Path) -> None:
    """Ensure that `component` runs as described: start it, or restart it if its description has changed."""
    record = read_record(record_path(spec, component.name))
    if is_alive(record) and record and record.digest == component.digest():
        return
    stop(spec, component.name)
    _start(spec, component, procs_file)


def stop(spec: Place, name: str) -> None:
    """Stop a component with SIGTERM, after ten seconds with SIGKILL; without a record there is nothing to stop."""
    path = record_path(spec, name)
    record = read_record(path)
    if record:
        _terminate(record)
    path.unlink(missing_ok=True)


def check_alive(spec: Place, *names: str) -> None:
    """
    Check that these components run.

    Raises:
        UserError: A component has terminated.
    """
    for name in names:
        if not is_alive(read_record(record_path(spec, name))):
            raise UserError(
                f"{spec.name}: {name} has terminated",
                f"Read its log: python -m lab logs {spec.name} {name}; then run: make up",
            )


def wait(spec: Place, name: str, is_ready: Callable[[], bool], *needed: str, seconds: float) -> None:
    """
    Wait until `is_ready` returns true.

    Raises:
        UserError: It is not ready after `seconds`, or one of the `needed` processes has terminated.
    """

    def probe() -> bool:
        check_alive(spec, *needed)
        return is_ready()

    try:
        Retrying(
            retry=retry_if_result(lambda ready: not ready),
            stop=stop_after_delay(seconds),
            wait=wait_fixed(_POLL_SECONDS),
        )(probe)
    except RetryError as error:
        raise UserError(
            f"{spec.name}: {name} is not ready after {seconds:.0f} s",
            f"Read its log: python -m lab logs {spec.name} {name}; then run: make up",
        ) from error


def _start(spec: Place, component: Component, procs_file: Path) -> None:
    record, log = record_path(spec, component.name), log_path(spec, component.name)
    files.make_folder(record.parent)
    files.make_folder(log.parent)
    mountns = str(spec.mountns_path) if component.in_node_mounts else None
    launch = ("sh", "-c", _LAUNCHER, "sh", str(procs_file), str(_BOOT_ID), component.digest())
    program = inside(str(spec.netns_path), mountns, component.argv)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the lab's own command lines
            (*launch, str(record), *program),
            env={**ENVIRONMENT, **component.environment},
            cwd=component.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _RECORD_SECONDS
    while not (known := read_record(record)) or known.pid != process.pid:
        if process.poll() is not None or time.monotonic() > deadline:
            raise UserError(
                f"{spec.name}: {component.name} did not start",
                f"Read its log: python -m lab logs {spec.name} {component.name}",
            )
        time.sleep(0.005)


def _terminate(record: Record) -> None:
    try:
        # The descriptor refers to this process, and not to a later one with its pid.
        descriptor = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return
    try:
        if not is_alive(record):
            return
        waiter = select.poll()
        waiter.register(descriptor, select.POLLIN)
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not waiter.poll(_TERM_SECONDS * 1000):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            waiter.poll(_TERM_SECONDS * 1000)
    finally:
        os.close(descriptor)
