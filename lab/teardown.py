"""Removes what `up` created, all of it or one cluster, even if it is incomplete, and nothing else."""

import shutil
from pathlib import Path

from errors import UserError
from lab.machine import cgroups, files, mounts, network
from lab.spec import MAX_CLUSTERS, REMOVING_DIR, STATE_DIR, ClusterSpec, clusters, existing


def remove_all() -> None:
    """
    Remove processes, namespaces, links, mounts, cgroups and the state folder; caches stay.

    It looks at the machine instead of a list of created objects, so it also works after a crash and when run twice.
    """
    _finish_all()
    among = cgroups.hierarchies()
    cgroups.refuse_foreign(among)
    cgroups.kill_all(among)
    network.remove(clusters(MAX_CLUSTERS))
    mounts.remove()
    cgroups.remove(among)
    _refuse_foreign_mounts(STATE_DIR, "down")
    if STATE_DIR.exists():
        # Renamed in one step, because `up` would take a half-removed state for a lab to repair.
        STATE_DIR.rename(REMOVING_DIR)
    _finish_all()


def remove_cluster(spec: ClusterSpec) -> None:
    """
    Remove one cluster with its keys and data; its folder stays, empty, and the other clusters stay unchanged.

    It looks at the machine as `remove_all` does. If it is killed, `finish` completes it.

    Raises:
        UserError: A process does not terminate, or a mount in the cluster's folder is not the lab's.
    """
    # The mark is the first file to be written and the last to go: with it, `up` does not repair what is left.
    files.write(spec.removal_mark, "")
    among = cgroups.hierarchies()
    cgroups.kill_all(among, spec.cgroup)
    network.remove_node(spec)
    mounts.remove(spec.mountns_path)
    cgroups.remove_empty(among, spec.cgroup)
    _refuse_foreign_mounts(spec.directory, f"rebuild {spec.name}")
    for path in spec.directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != spec.removal_mark:
            path.unlink()
    spec.removal_mark.unlink()


def finish() -> None:
    """Complete the removal that a killed `down` or `rebuild` began."""
    _finish_all()
    for spec in existing(STATE_DIR):
        if spec.removal_mark.exists():
            remove_cluster(spec)


def _finish_all() -> None:
    if REMOVING_DIR.exists():
        shutil.rmtree(REMOVING_DIR)


def _refuse_foreign_mounts(folder: Path, command: str) -> None:
    if left := mounts.left_below(folder):
        raise UserError(
            f"There are mounts that the lab did not create: {', '.join(left)}",
            f"Run: umount {' '.join(left)}. Then run `{command}` again",
        )
