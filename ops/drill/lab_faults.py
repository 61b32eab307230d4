"""The lab as a place to drill in: the one module of `ops` that knows of it, and loaded by `drill` alone."""

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
    Hold the lab, so that no other command changes it meanwhile, and give what cuts its clusters off.

    Raises:
        UserError: The stack is not the lab's, or the lab is down, in use or not this person's; or a cut failed.
    """
    with lock.held():
        yield Nodes.behind({cluster.name: _kubeconfig(cluster) for cluster in settings.clusters})


def _kubeconfig(cluster: Cluster) -> Path | None:
    access = cluster.access
    return access.path.expanduser() if isinstance(access, KubeconfigAccess) else None
