"""Removes all that `up` made, whatever is left of it, and nothing else."""

import shutil

from errors import UserError
from lab.machine import cgroups, mounts, network
from lab.spec import MAX_CLUSTERS, REMOVING_DIR, STATE_DIR, clusters


def remove_all() -> None:
    """
    Remove processes, namespaces, links, mounts, cgroups and the state folder; caches stay.

    Asks the machine and not a list of what was made, so it may follow a crash, or itself.
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
            f"Still mounted, and not by the lab: {', '.join(left)}",
            f"Unmount it, then run down again: umount {' '.join(left)}",
        )
    if STATE_DIR.exists():
        # In one step: what is left of a state that was half removed would pass for a lab's that can be healed.
        STATE_DIR.rename(REMOVING_DIR)
    finish()


def finish() -> None:
    """Remove what a `down` that was killed had begun to remove."""
    if REMOVING_DIR.exists():
        shutil.rmtree(REMOVING_DIR)
