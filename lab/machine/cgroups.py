"""
The cgroups that hold every process of a cluster, on hosts with cgroup v1, v2 or both.

Each node's kubelet manages its own cgroup, because two kubelets that share one delete each other's pods. No process
leaves its cgroup, so `down` kills the processes in these cgroups: it misses none and affects no other process.
"""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from errors import UserError
from lab.machine import files
from lab.spec import FABRIC, STATE_DIR, ClusterSpec

NEEDED_CONTROLLERS = ("cpuset", "cpu", "memory", "pids")
"""The cgroup v2 controllers that a kubelet needs."""
# If the root has this controller and the kubelet's cgroup does not, the kubelet treats its cgroup as missing.
_OPTIONAL_CONTROLLERS = ("hugetlb",)
_ENABLED = STATE_DIR / "switched-on-controllers"
_KILL_SECONDS = 20.0


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup hierarchy; a v2 one has no controllers listed."""

    root: Path
    is_v2: bool
    controllers: tuple[str, ...] = ()


def parse_mounts(mountinfo: str) -> tuple[Hierarchy, ...]:
    """Return the cgroup hierarchies that /proc/self/mountinfo lists: pure."""
    found: dict[Path, Hierarchy] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        root = Path(left.split()[4])
        kind, _, options = right.split(maxsplit=2)
        if kind == "cgroup2":
            found[root] = Hierarchy(root, is_v2=True)
        elif kind == "cgroup":
            names = options.split(",")
            found[root] = Hierarchy(root, is_v2=False, controllers=tuple(names))
    return tuple(found.values())


def hierarchies() -> tuple[Hierarchy, ...]:
    """Return the hierarchies of this machine."""
    return parse_mounts(Path("/proc/self/mountinfo").read_text())


def tracker(among: tuple[Hierarchy, ...]) -> Hierarchy:
    """
    Return the hierarchy in which `down` finds the lab's processes.

    Raises:
        UserError: No hierarchy is mounted.
    """
    for controller in ("memory", "pids", "cpu"):
        for hierarchy in among:
            if controller in hierarchy.controllers:
                return hierarchy
    for hierarchy in among:
        if hierarchy.is_v2:
            return hierarchy
    raise UserError("No cgroup hierarchy is mounted", "Mount one: mount -t cgroup2 none /sys/fs/cgroup")


def ensure(spec: ClusterSpec, among: tuple[Hierarchy, ...]) -> None:
    """Create the cluster's cgroups in every hierarchy."""
    pure_v2 = not any(hierarchy.controllers for hierarchy in among)
    for hierarchy in among:
        if hierarchy.is_v2 and pure_v2:
            _enable(hierarchy.root, remember=True)
        for name in (FABRIC, spec.cgroup, spec.system_cgroup, spec.pods_cgroup):
            folder = hierarchy.root / name
            folder.mkdir(exist_ok=True)
            if "cpuset" in hierarchy.controllers:
                _inherit_cpuset(folder)
            elif hierarchy.is_v2 and pure_v2 and name in (FABRIC, spec.cgroup):
                _enable(folder, remember=False)


def procs_file(spec: ClusterSpec, among: tuple[Hierarchy, ...]) -> Path:
    """Return the file into which one of the cluster's components writes its pid."""
    return tracker(among).root / spec.system_cgroup / "cgroup.procs"


def memory_bytes(spec: ClusterSpec, among: tuple[Hierarchy, ...]) -> int | None:
    """Return the bytes that the cluster's processes and pods use, without the file cache; None if unknown."""
    folder = tracker(among).root / spec.cgroup
    try:
        fields = (folder / "memory.stat").read_text().split()
    except FileNotFoundError:
        return None
    stat = {name: int(value) for name, value in zip(fields[::2], fields[1::2], strict=True)}
    return stat.get("total_rss", stat.get("anon"))


def processes(folder: Path) -> set[int]:
    """Return the pids in a cgroup and in its descendants."""
    pids: set[int] = set()
    for path, _, _ in os.walk(folder):
        # If a cgroup is removed during the read, the kernel returns ENODEV.
        with contextlib.suppress(OSError):
            pids.update(map(int, (Path(path) / "cgroup.procs").read_text().split()))
    return pids


def members(among: tuple[Hierarchy, ...], cgroup: str = FABRIC) -> set[int]:
    """Return the pids in a cgroup of the lab, by default in all of them."""
    return set[int]().union(*(processes(hierarchy.root / cgroup) for hierarchy in among))


def refuse_foreign(among: tuple[Hierarchy, ...]) -> None:
    """
    Refuse processes in the lab's cgroups while no lab exists, because the lab did not start them.

    Raises:
        UserError: There are such processes.
    """
    if not STATE_DIR.exists() and (pids := sorted(members(among))):
        raise UserError(
            f"The cgroup {FABRIC} holds processes, but {STATE_DIR} holds no lab: {pids}",
            f"Find their owner (ps -p {','.join(map(str, pids))}), stop them, then retry",
        )


def kill_all(among: tuple[Hierarchy, ...], cgroup: str = FABRIC) -> None:
    """
    Kill every process in a cgroup of the lab, by default in all of them.

    Raises:
        UserError: Some processes do not terminate.
    """
    deadline = time.monotonic() + _KILL_SECONDS
    while left := members(among, cgroup):
        if time.monotonic() > deadline:
            raise UserError(
                f"Processes of the lab do not terminate: {sorted(left)}",
                "They wait for the kernel (state D in ps). Retry; if that does not help, restart the machine",
            )
        for pid in left:
            _kill(pid)
        time.sleep(0.05)


def remove(among: tuple[Hierarchy, ...]) -> None:
    """Remove the lab's cgroups, which must be empty, and disable the controllers that `ensure` enabled."""
    remove_empty(among, FABRIC)
    if _ENABLED.exists():
        root, *names = _ENABLED.read_text().split()
        for name in names:
            _disable(Path(root) / "cgroup.subtree_control", name)
        _ENABLED.unlink()


def remove_empty(among: tuple[Hierarchy, ...], cgroup: str) -> None:
    """Remove a cgroup with its descendants, which must have no process."""
    for hierarchy in among:
        for folder in _deepest_first(hierarchy.root / cgroup):
            _remove_folder(folder)


def _enable(folder: Path, *, remember: bool) -> None:
    control = folder / "cgroup.subtree_control"
    available = (folder / "cgroup.controllers").read_text().split()
    if lacking := set(NEEDED_CONTROLLERS) - set(available):
        raise UserError(
            f"The cgroup controllers {', '.join(sorted(lacking))} are not available in {folder}",
            "Enable them on the kernel command line, or run outside of containers",
        )
    usable = [name for name in NEEDED_CONTROLLERS + _OPTIONAL_CONTROLLERS if name in available]
    new = [name for name in usable if name not in control.read_text().split()]
    if not new:
        return
    if remember and not _ENABLED.exists():
        files.write(_ENABLED, " ".join((str(folder), *new)))
    control.write_text(" ".join(f"+{name}" for name in new))


def _disable(control: Path, name: str) -> None:
    try:
        control.write_text(f"-{name}")
    except OSError as error:
        # Another program uses the controller below the root by now, so it stays enabled.
        if error.errno != errno.EBUSY:
            raise


def _inherit_cpuset(folder: Path) -> None:
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not (folder / name).read_text().strip():
            (folder / name).write_text((folder.parent / name).read_text())


def _deepest_first(folder: Path) -> Iterator[Path]:
    for path, _, _ in os.walk(folder, topdown=False):
        yield Path(path)


def _remove_folder(folder: Path) -> None:
    deadline = time.monotonic() + _KILL_SECONDS
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:  # busy until the kernel has reaped the last process
            if time.monotonic() > deadline:
                raise UserError(f"{folder} is still in use", "Run the command again") from error
            time.sleep(0.05)
        else:
            return


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
