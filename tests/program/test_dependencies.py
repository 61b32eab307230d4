"""No object of a cluster depends on another cluster, except an object that contains data of that cluster."""

from collections.abc import Iterator

import pytest

from recorder.registrations import Registration
from tests.support.recording import KUBERNETES_PROVIDER, RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, OPERATOR, RANCHER

REMOTE_SECRET = "-remote-secret"  # noqa: S105 - the end of a name


def cluster_of(monitor: RecordingMonitor, found: Registration) -> str | None:
    """Return the cluster of a resource's provider; None for a resource outside all clusters."""
    if found.type == KUBERNETES_PROVIDER or not found.type.startswith("kubernetes:") or not found.provider:
        return None
    provider = monitor.provider_name(found) or ""
    return provider.partition("-kubernetes")[0]


def needed(monitor: RecordingMonitor, found: Registration) -> Iterator[Registration]:
    """Yield all resources on which a resource depends: dependencies, parents, and theirs in turn."""
    open_, seen = [found.urn], set[str]()
    while open_:
        each = monitor.registrations[open_.pop()]
        if each.urn in seen:
            continue
        seen.add(each.urn)
        yield each
        open_ += [*each.dependencies, *([each.parent] if each.parent else [])]


@pytest.mark.parametrize("stack", [LAB, RANCHER, OPERATOR])
def test_no_object_waits_for_another_cluster_but_the_remote_secrets(runs: Runs, stack: str) -> None:
    """A remote secret contains the token of the cluster that it names, and no object depends on a remote secret."""
    monitor = runs(stack)
    objects = [found for found in monitor.recorded if cluster_of(monitor, found)]
    assert len({cluster_of(monitor, found) for found in objects}) > 1
    waiting = set()
    for found in objects:
        clusters = {cluster_of(monitor, each) for each in needed(monitor, found)} - {None}
        if len(clusters) > 1:
            waiting.add(found.name)
    assert all(name.endswith(REMOTE_SECRET) for name in waiting), sorted(waiting)


@pytest.mark.parametrize("stack", [LAB, RANCHER, OPERATOR])
def test_no_object_waits_for_a_load_balancer_of_another_cluster(runs: Runs, stack: str) -> None:
    """This includes the remote secrets, because a load balancer may never get an address."""
    monitor = runs(stack)
    for found in monitor.recorded:
        own = cluster_of(monitor, found)
        for each in needed(monitor, found) if own else ():
            if each.inputs.get("spec", {}).get("type") == "LoadBalancer":
                assert cluster_of(monitor, each) == own, found.name
