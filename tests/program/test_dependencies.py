"""No object of a cluster waits for another cluster, except where it holds something of that cluster."""

from collections.abc import Iterator

import pytest

from recorder.registrations import Registration
from tests.support.recording import KUBERNETES_PROVIDER, RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, OPERATOR, RANCHER

REMOTE_SECRET = "-remote-secret"  # noqa: S105 - the end of a name


def cluster_of(monitor: RecordingMonitor, found: Registration) -> str | None:
    """The provider's cluster; None for what is in no cluster."""
    if found.type == KUBERNETES_PROVIDER or not found.type.startswith("kubernetes:") or not found.provider:
        return None
    provider = monitor.provider_name(found) or ""
    return provider.partition("-kubernetes")[0]


def needed(monitor: RecordingMonitor, found: Registration) -> Iterator[Registration]:
    """All that a resource waits for: dependencies, parents and their dependencies, and so on."""
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
    """A remote secret holds the token of the cluster that it names; nothing waits for a remote secret."""
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
    """Not even the remote secrets: an address may never come."""
    monitor = runs(stack)
    for found in monitor.recorded:
        own = cluster_of(monitor, found)
        for each in needed(monitor, found) if own else ():
            if each.inputs.get("spec", {}).get("type") == "LoadBalancer":
                assert cluster_of(monitor, each) == own, found.name
