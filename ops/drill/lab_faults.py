"""The lab as a place to drill in: the one module of `ops` that knows of it, and loaded by `drill` alone."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import settings
from errors import OpsError
from lab import lock
from lab.errors import LabError
from lab.faults import Nodes
from ops.drill.scenario import Faults


@contextlib.contextmanager
def faults(stack: str, chosen: settings.Settings) -> Iterator[Faults]:
    """
    Hold the lab, so that no other command changes it meanwhile, and give what cuts its clusters off.

    Raises:
        OpsError: The stack is not the lab's, or the lab is down, in use or not this person's; or a cut failed.
    """
    try:
        with lock.held():
            yield Nodes.behind({cluster.name: _kubeconfig(cluster) for cluster in chosen.clusters})
    except LabError as error:
        raise OpsError(f"stack {stack}: {error}") from error


def _kubeconfig(cluster: settings.Cluster) -> Path | None:
    access = cluster.access
    return access.path.expanduser() if isinstance(access, settings.KubeconfigAccess) else None
