"""Removes all that `up` made, whatever is left of it, and nothing else."""

import shutil

from lab import cgroups, mounts, network
from lab.errors import LabError
from lab.spec import MAX_CLUSTERS, STATE_DIR, clusters


def remove_all() -> None:
    """
    Remove processes, namespaces, links, mounts, cgroups and the state folder; caches stay.

    Asks the machine and not a list of what was made, so it may follow a crash, or itself.
    """
    among = cgroups.hierarchies()
    cgroups.kill_all(among)
    network.remove(clusters(MAX_CLUSTERS))
    mounts.remove()
    cgroups.remove(among)
    if left := mounts.left_below(STATE_DIR):
        raise LabError(
            f"Still mounted, and not by the lab: {', '.join(left)}",
            f"Unmount it, then run down again: umount {' '.join(left)}",
        )
    if STATE_DIR.exists():
        shutil.rmtree(STATE_DIR)
