"""The properties of a machine that the lab could change."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

from lab.machine import cgroups
from lab.spec import FABRIC, REMOVING_DIR, STATE_DIR

# A container runtime or a kubelet creates these folders on a host by default.
FOLDERS = (
    "/etc/cni/net.d",
    "/etc/kubernetes",
    "/opt/cni",
    "/run/containerd",
    "/run/flannel",
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    str(STATE_DIR),
    str(REMOVING_DIR),
)
# This is read at import, because the tests later set another folder for this process.
TEMPORARY = Path(tempfile.gettempdir())
KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|client-key-data")
READ_BYTES = 1 << 16
COMES_AND_GOES = ("processes", "keys")
SETTINGS = ("net", "vm", "kernel")
# These values change by themselves.
COUNTERS = ("kernel/random/", "kernel/ns_last_pid", "kernel/pty/nr", "net/netfilter/nf_conntrack_count", "kernel/sched")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A snapshot of the machine. Each set holds readable lines."""

    processes: frozenset[str]
    """The processes in a lab's namespaces, cgroups and folders. Short-lived ones are left out."""
    keys: frozenset[str]
    """The temporary files that contain a private key, or a kubeconfig with one."""
    network_namespaces: frozenset[str]
    links: frozenset[str]
    routes: frozenset[str]
    rules: frozenset[str]
    mounts: frozenset[str]
    cgroups: frozenset[str]
    firewall: frozenset[str]
    folders: frozenset[str]
    settings: frozenset[str]

    def differences(self, later: "Machine") -> list[str]:
        """Return the differences between two snapshots."""
        found = []
        for field in fields(self):
            before, after = getattr(self, field.name), getattr(later, field.name)
            if field.name == "settings":
                # A kernel module that was loaded in between adds its own settings.
                known = {line.partition(" = ")[0] for line in before}
                after = {line for line in after if line.partition(" = ")[0] in known}
                present = {line.partition(" = ")[0] for line in after}
                before = {line for line in before if line.partition(" = ")[0] in present}
            found += [f"{field.name}: new: {line}" for line in sorted(after - before)]
            if field.name not in COMES_AND_GOES:
                found += [f"{field.name}: gone: {line}" for line in sorted(before - after)]
        return found


def look() -> Machine:
    """Take a snapshot. Processes are read twice, because a kubelet and a kube-proxy start short-lived ones."""
    processes = _processes()
    time.sleep(1)
    return Machine(
        processes=frozenset(processes & _processes()),
        keys=frozenset(_keys()),
        network_namespaces=frozenset(line.split()[0] for line in _lines("ip", "netns", "list")),
        links=frozenset(link["ifname"] for link in json.loads(_output("ip", "-j", "link"))),
        routes=frozenset(_lines("ip", "-4", "route", "show", "table", "all")),
        rules=frozenset(_lines("ip", "rule")),
        mounts=frozenset(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()),
        cgroups=frozenset(_cgroups()),
        firewall=frozenset(_firewall()),
        folders=frozenset(folder for folder in FOLDERS if Path(folder).exists()),
        settings=frozenset(_settings()),
    )


def _processes() -> set[str]:
    """Return the processes that a cgroup, a namespace, a folder or the command line relates to a lab."""
    own = {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in ("net", "mnt")}  # noqa: PTH116 - no path, a link
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            ours = str(STATE_DIR) in command or f":/{FABRIC}/" in (folder / "cgroup").read_text()
            foreign = any((folder / "ns" / kind).stat().st_ino != inode for kind, inode in own.items())
        except OSError:
            continue
        if command and int(folder.name) != os.getpid() and (ours or foreign):
            found.add(f"{folder.name} {command}")
    return found


def _keys() -> list[str]:
    found = []
    for file in TEMPORARY.iterdir():
        try:
            if file.is_file():
                with file.open("rb") as opened:
                    found += [str(file)] if KEY.search(opened.read(READ_BYTES)) else []
        except OSError:
            continue
    return found


def _cgroups() -> list[str]:
    return [
        str(folder)
        for hierarchy in cgroups.hierarchies()
        for folder in hierarchy.root.iterdir()
        if folder.is_dir() and not folder.is_symlink()
    ]


def _firewall() -> list[str]:
    """Return rules and policies, without empty tables and without counters."""
    found = []
    for program in ("iptables-save", "ip6tables-save"):
        table = ""
        for line in _lines(program) if shutil.which(program) else ():
            if line.startswith("*"):
                table = line
            elif line.startswith("-A") or (line.startswith(":") and " ACCEPT" not in line):
                found.append(f"{program} {table} {line.partition(' [')[0]}")
    return found


def _settings() -> list[str]:
    found = []
    for part in SETTINGS:
        for file in (Path("/proc/sys") / part).rglob("*"):
            name = str(file.relative_to("/proc/sys"))
            if name.startswith(COUNTERS) or not file.is_file():
                continue
            try:
                found.append(f"{name} = {file.read_text().strip()}")
            except OSError:
                continue
    return found


def _lines(*command: str) -> list[str]:
    return [line.strip() for line in _output(*command).splitlines() if line.strip()]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - fixed commands
