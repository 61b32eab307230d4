"""
A node's own view of the file system: a mount namespace that `nsenter --mount` enters.

In it, the fixed paths that a container runtime and a kubelet write to (/run, /var/lib, /var/log)
are empty and the node's alone, so that two nodes do not meet there and the host sees none of
their mounts: they all vanish with the namespace. The kernel settings that a kubelet insists on
changing are covered by ordinary files, so that the host keeps its own.
"""

import subprocess
from pathlib import Path

from errors import UserError
from lab.machine import files
from lab.machine.command import ENVIRONMENT, run
from lab.spec import NAMESPACES_DIR, STATE_DIR, ClusterSpec

HIDDEN = (Path("/run"), Path("/var/lib"), Path("/var/log"))
"""What a node sees none of, but for the lab's state; nothing that it runs may live there."""
TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""The values that a kubelet wants to see below /proc/sys."""


def script(spec: ClusterSpec) -> str:
    """Return the shell script that furnishes a new mount namespace: pure."""
    kept = "/run/kept"
    lines = [
        "set -e",
        "mount -t tmpfs -o mode=0755 node /run",
        f"mkdir /run/lock {kept}",
        f"mount --bind {STATE_DIR} {kept}",
        *(f"mount -t tmpfs -o mode=0755 node {path}" for path in HIDDEN[1:]),
        f"mkdir {STATE_DIR}",
        f"mount --move {kept} {STATE_DIR}",
        *(f"mount --bind {_tunable(spec, key)} /proc/sys/{key}" for key in TUNABLES),
        # Pods' volumes ask for mounts that are shared between kubelet and runtime.
        "mount --make-rshared /",
        "echo furnished",
        "read -r _",
    ]
    return "\n".join(lines)


def ensure_namespaces_dir() -> None:
    """Make the folder of the namespaces; one can only be bound below a mount that is not shared with others."""
    files.make_folder(NAMESPACES_DIR)
    if not is_mount_point(NAMESPACES_DIR):
        run("mount", "--bind", str(NAMESPACES_DIR), str(NAMESPACES_DIR))
    run("mount", "--make-private", str(NAMESPACES_DIR))


def ensure(spec: ClusterSpec) -> None:
    """Make the node's mount namespace unless there is one; UserError if the kernel refuses."""
    if is_namespace(spec.mountns_path):
        return
    if is_mount_point(spec.mountns_path):
        raise UserError(
            f"The mount namespace of {spec.name} is hidden by a later mount on {NAMESPACES_DIR}",
            "Make the lab anew: python -m lab down, then up",
        )
    for key, value in TUNABLES.items():
        files.write(_tunable(spec, key), f"{value}\n")
    spec.mountns_path.touch(mode=0o600)
    with subprocess.Popen(  # noqa: S603 - the script is the lab's own
        # The host's later unmounts reach the node; the node's mounts do not reach the host.
        ("/usr/bin/env", "unshare", "--mount", "--propagation=slave", "sh", "-c", script(spec)),
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as furnisher:
        if furnisher.stdout and furnisher.stdout.readline().strip() == "furnished":
            # Bound only now, so that a namespace is either furnished or not there.
            run("mount", "--bind", f"/proc/{furnisher.pid}/ns/mnt", str(spec.mountns_path))
            furnisher.communicate("\n")
        else:
            _, said = furnisher.communicate()
            raise UserError(
                f"The mount namespace of {spec.name} could not be made: {said.strip()}",
                "The lab needs a real root: run it outside of containers and sandboxes",
            )


def is_namespace(path: Path) -> bool:
    """Return whether a namespace is bound to `path`, in sight and not below a later mount."""
    return path.exists() and path.stat().st_dev == Path("/proc/self/ns/mnt").stat().st_dev


def is_mount_point(path: Path) -> bool:
    """Return whether something is mounted on `path`; `Path.is_mount` misses namespaces and binds."""
    return str(path) in _mount_points()


def remove() -> None:
    """Let go of every mount namespace; what was mounted inside goes with its last process."""
    # The kernel lists mounts in the order of their making, and the last one made hides the others.
    for point in reversed(left_below(NAMESPACES_DIR)):
        run("umount", point)


def left_below(folder: Path) -> list[str]:
    """Return the mount points at or below `folder` that are still there."""
    return [point for point in _mount_points() if Path(point).is_relative_to(folder)]


def _mount_points() -> list[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _tunable(spec: ClusterSpec, key: str) -> Path:
    return spec.config / "tunables" / key.replace("/", ".")
