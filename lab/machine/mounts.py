"""
A node's own view of the file system: a mount namespace that `nsenter --mount` enters.

The fixed paths that a container runtime and a kubelet write to (/run, /var/lib, /var/log) are private to the node. Two
nodes do not conflict there, and the host sees none of their mounts: the kernel removes them with the namespace.
Ordinary files cover the kernel settings that a kubelet changes, so that the host keeps its own values.
"""

import subprocess
from pathlib import Path

from errors import UserError
from lab.machine import files
from lab.machine.command import ENVIRONMENT, run
from lab.spec import NAMESPACES_DIR, STATE_DIR, ClusterSpec

HIDDEN = (Path("/run"), Path("/var/lib"), Path("/var/log"))
"""Host folders that a node does not see, except for the lab's state; no program that it runs may be in them."""
TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""The values that a kubelet requires below /proc/sys."""


def script(spec: ClusterSpec) -> str:
    """Return the shell script that sets up a new mount namespace: pure."""
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
        # The volumes of pods require mounts that kubelet and container runtime share.
        "mount --make-rshared /",
        "echo furnished",
        "read -r _",
    ]
    return "\n".join(lines)


def ensure_namespaces_dir() -> None:
    """Create the folder of the namespaces; the kernel binds a mount namespace only below a mount that is not shared."""
    files.make_folder(NAMESPACES_DIR)
    if not is_mount_point(NAMESPACES_DIR):
        run("mount", "--bind", str(NAMESPACES_DIR), str(NAMESPACES_DIR))
    run("mount", "--make-private", str(NAMESPACES_DIR))


def ensure(spec: ClusterSpec) -> None:
    """
    Create the node's mount namespace if it is missing.

    Raises:
        UserError: The kernel refuses, or a later mount hides the namespace.
    """
    if is_namespace(spec.mountns_path):
        return
    if is_mount_point(spec.mountns_path):
        raise UserError(
            f"A later mount on {NAMESPACES_DIR} hides the mount namespace of {spec.name}",
            "Recreate the lab: python -m lab down, then python -m lab up",
        )
    for key, value in TUNABLES.items():
        files.write(_tunable(spec, key), f"{value}\n")
    spec.mountns_path.touch(mode=0o600)
    with subprocess.Popen(  # noqa: S603 - the script is the lab's own
        # Unmounts on the host propagate to the node; the node's mounts do not propagate to the host.
        ("/usr/bin/env", "unshare", "--mount", "--propagation=slave", "sh", "-c", script(spec)),
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as creator:
        if creator.stdout and creator.stdout.readline().strip() == "furnished":
            # Bound last, so that a namespace is either complete or absent.
            run("mount", "--bind", f"/proc/{creator.pid}/ns/mnt", str(spec.mountns_path))
            creator.communicate("\n")
        else:
            _, output = creator.communicate()
            raise UserError(
                f"The mount namespace of {spec.name} cannot be created: {output.strip()}",
                "The lab needs a real root user. Run it outside of containers and sandboxes",
            )


def is_namespace(path: Path) -> bool:
    """Return whether a namespace is bound to `path` and no later mount hides it."""
    return path.exists() and path.stat().st_dev == Path("/proc/self/ns/mnt").stat().st_dev


def is_mount_point(path: Path) -> bool:
    """Return whether something is mounted on `path`; `Path.is_mount` misses namespaces and binds."""
    return str(path) in _mount_points()


def remove(path: Path = NAMESPACES_DIR) -> None:
    """
    Unmount the mount namespaces at or below `path`, by default all of them.

    The kernel removes the mounts inside with the last process.
    """
    # The kernel lists mounts in order of creation, and the last one hides the others.
    for point in reversed(left_below(path)):
        run("umount", point)


def left_below(folder: Path) -> list[str]:
    """Return the remaining mount points at or below `folder`."""
    return [point for point in _mount_points() if Path(point).is_relative_to(folder)]


def _mount_points() -> list[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _tunable(spec: ClusterSpec, key: str) -> Path:
    return spec.config / "tunables" / key.replace("/", ".")
