"""Looks, before `up` changes anything, for what would make it fail later and less clearly."""

import contextlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, cast

from errors import UserError
from lab.build import cache
from lab.clusters import node
from lab.machine import cgroups, network
from lab.machine.command import ENVIRONMENT, run
from lab.machine.mounts import HIDDEN
from lab.spec import FABRIC, RESERVED_NETWORK, STATE_DIR, ClusterSpec

INSTALLER = Path(__file__).with_name("install-packages")
COMMANDS = tuple(
    command
    for group, command, _ in (
        line.split()
        for line in INSTALLER.with_name("packages.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    if group == "lab"
)
"""The commands that the lab runs. INSTALLER installs the packages that have them."""
_KERNEL = {
    "overlay": "overlayfs, which containers' file systems are made of",
    "br_netfilter": "iptables on bridged traffic, which Services need",
}
_FILE_SYSTEMS = Path("/proc/filesystems")
_BRIDGE_SETTINGS = Path("/proc/sys/net/bridge")
_GIB = 2**30
_CLUSTER_BYTES = 2 * _GIB
_CLUSTER_MEMORY_BYTES = 1 * _GIB


def require_root() -> None:
    """Raise UserError unless this is Linux and this process is root's."""
    if platform.system() != "Linux":
        raise UserError(
            f"The lab needs Linux, and this is {platform.system()}",
            "Run it on Linux. A stack of your own clusters needs no lab: make up STACK=<stack>",
        )
    if os.geteuid() != 0:
        raise UserError(
            "The lab needs root", 'Run it again as root. With sudo, keep the PATH: sudo env "PATH=$PATH" make up'
        )


def check(wanted: Sequence[ClusterSpec]) -> None:
    """Raise UserError that lists all that stands in the way of running these clusters."""
    require_root()
    cgroups.refuse_foreign(cgroups.hierarchies())
    new = [spec for spec in wanted if not spec.directory.is_dir()]
    problems = [*missing_packages(), *_missing_features()]
    if not problems:  # what follows asks commands that may have been missing
        problems += [*_taken_network(), *short_resources(len(new)), *_hidden_programs()]
    if problems:
        raise UserError(
            "; ".join(problem.message for problem in problems),
            "\n".join(problem.remedy for problem in problems),
        )


def load_modules() -> None:
    """Load the kernel modules that the lab needs; `check` reports those that are not available."""
    for module in absent_modules():
        with contextlib.suppress(UserError):
            run("modprobe", module)
            # New, br_netfilter would send what crosses the host's own bridges through the host's iptables.
            for setting in _BRIDGE_SETTINGS.glob("bridge-nf-call-*") if module == "br_netfilter" else ():
                setting.write_text("0")


def absent_modules() -> list[str]:
    """Name the parts that this kernel does not have, or has not loaded."""
    present = {
        "overlay": "\toverlay\n" in _FILE_SYSTEMS.read_text(),
        "br_netfilter": _BRIDGE_SETTINGS.is_dir(),
    }
    return [module for module in _KERNEL if not present[module]]


def missing_packages() -> Iterator[UserError]:
    """Yield one problem that names every missing command, or none."""
    # The lab runs its commands with this PATH, whatever the user's own PATH is.
    lacking = [command for command in COMMANDS if not shutil.which(command, path=ENVIRONMENT["PATH"])]
    if node.cni_folder() is None:
        lacking.append("the CNI plugins")
    if lacking:
        yield UserError(
            f"Not installed: {', '.join(lacking)}", "Install Debian's packages, or list them: lab/install-packages lab"
        )


def clashes(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """
    Return those of `ip -j route`'s destinations that take something of the lab's range away: pure.

    A wider one, such as the half of all addresses that a VPN takes, gives way to the lab's own.
    """
    found = []
    for route in routes:
        destination = str(route["dst"])
        if destination == "default" or route.get("dev") == FABRIC:
            continue
        if IPv4Network(destination).subnet_of(RESERVED_NETWORK):
            found.append(f"{destination} on {route.get('dev', 'no link')}")
    return found


def _missing_features() -> Iterator[UserError]:
    for module in absent_modules():
        yield UserError(f"The kernel has no {_KERNEL[module]}", f"modprobe {module}")


def _taken_network() -> Iterator[UserError]:
    if FABRIC in network.links() and not network.is_own_link():
        yield UserError(
            f"There is a link {FABRIC} already, and it is not the lab's",
            f"Remove or rename it: ip link delete {FABRIC}",
        )
    listed = run("ip", "-4", "-j", "route", "show", "table", "all")
    if taken := clashes(cast("list[dict[str, Any]]", json.loads(listed))):
        yield UserError(
            f"The lab's range {RESERVED_NETWORK} is in use: {', '.join(taken)}",
            "Remove that route or address; the lab's range cannot be changed",
        )


def short_resources(new_clusters: int) -> Iterator[UserError]:
    """Yield a problem each for too little disk and too little memory."""
    folder = next(path for path in (STATE_DIR, *STATE_DIR.parents) if path.exists())
    free, needed = shutil.disk_usage(folder).free, new_clusters * _CLUSTER_BYTES
    if free < needed:
        yield UserError(
            f"{folder} has {free / _GIB:.1f} GiB free, and new clusters take {needed / _GIB:.1f}",
            f"Free some space there, or start fewer clusters (see: df -h {folder})",
        )
    meminfo = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(meminfo["MemAvailable"].split()[0]) * 1024
    needed = new_clusters * _CLUSTER_MEMORY_BYTES
    if available < needed:
        yield UserError(
            f"{available / _GIB:.1f} GiB of memory is free; new clusters take {needed / _GIB:.1f}",
            "End other programs that use memory, or start fewer clusters",
        )


def _hidden_programs() -> Iterator[UserError]:
    if any(cache.root().is_relative_to(folder) for folder in HIDDEN):
        yield UserError(
            f"The programs' cache {cache.root()} is in a folder that a node does not see",
            "Name another one: XDG_CACHE_HOME=/opt/cache python -m lab up",
        )
