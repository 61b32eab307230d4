"""Removes what `up` created, even if it is incomplete, and nothing else."""

import shutil

from errors import UserError
from lab.machine import cgroups, mounts, network
from lab.spec import MAX_CLUSTERS, REMOVING_DIR, STATE_DIR, ClusterSpec, clusters


def remove_all() -> None:
    """
    Remove processes, namespaces, links, mounts, cgroups and the state folder; caches stay.

    It looks at the machine instead of a list of created objects, so it also works after a crash and when run twice.
    """
    finish()
    among = cgroups.hierarchies()
    cgroups.refuse_foreign(among)
    cgroups.kill_all(among)
    network.remove(clusters(MAX_CLUSTERS))
    mounts.remove()
    cgroups.remove(among)
    if left := mounts.left_below(STATE_DIR):
        raise UserError(
            f"There are mounts that the lab did not create: {', '.join(left)}",
            f"Run: umount {' '.join(left)}. Then run `down` again",
        )
    if STATE_DIR.exists():
        # Renamed in one step, because `up` would take a half-removed state for a lab to repair.
        STATE_DIR.rename(REMOVING_DIR)
    finish()


def remove_cluster(spec: ClusterSpec) -> None:
    """Remove one cluster with its keys and its data, so that `up` creates another one; its network stays."""
    among = cgroups.hierarchies()
    cgroups.kill_all(among, spec.cgroup)
    mounts.remove(spec.mountns_path)
    cgroups.remove_below(spec.cgroup, among)
    if spec.directory.exists():
        spec.directory.rename(REMOVING_DIR)
    finish()


def finish() -> None:
    """Complete the removal that a killed `down` began."""
    if REMOVING_DIR.exists():
        shutil.rmtree(REMOVING_DIR)
