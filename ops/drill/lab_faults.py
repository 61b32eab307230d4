"""The faults of the lab's clusters: the one module of `ops` that imports the lab; only `drill` loads it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from config.schema import Cluster, KubeconfigAccess, Settings
from lab.faults import Nodes
from lab.machine import lock
from ops.drill.scenario import Faults


@contextlib.contextmanager
def faults(settings: Settings) -> Iterator[Faults]:
    """
    Lock the lab, so that no other command changes it meanwhile, and yield what cuts off its clusters.

    Raises:
        UserError: The stack is not the lab's, the lab is down or in use, or the user is not root; or a cut failed.
    """
    with lock.held():
        yield Nodes.behind({cluster.name: _kubeconfig(cluster) for cluster in settings.clusters})


def _kubeconfig(cluster: Cluster) -> Path | None:
    access = cluster.access
    return access.path.expanduser() if isinstance(access, KubeconfigAccess) else None
