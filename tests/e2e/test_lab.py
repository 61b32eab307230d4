"""The next `up` repairs the lab after one of its programs, or `up` or `down` itself, was killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from kubernetes import client

from lab.clusters import addons
from lab.machine import cgroups, network, processes
from lab.spec import FABRIC, REMOVING_DIR, ClusterSpec, clusters, existing
from tests.e2e.checkout import ROOT, run_module, session_members
from tests.e2e.conftest import Lab
from tests.e2e.objects import held_by

pytestmark = pytest.mark.e2e

EAST, WEST, NORTH = clusters(3)
REACHED_SECONDS = 120
KUBE_SYSTEM = "Namespace.core /kube-system"
"""The UID of this namespace identifies the cluster."""


@pytest.fixture(scope="module")
def own_lab(lab: Lab) -> Iterator[Lab]:
    """Allow a test to take the lab down, and restore the two clusters after it."""
    if lab.before is None:
        pytest.skip("the lab was up before these tests, so it belongs to the user, and stays")
    yield lab
    if existing() != lab.clusters:
        run_module(ROOT, "lab", "down").must_succeed()
    run_module(ROOT, "lab", "up").must_succeed()


def pid_of(spec: ClusterSpec, component: str) -> int | None:
    """Return the process id of a component; `None` if it does not run."""
    record = processes.read_record(processes.record_path(spec, component))
    return record.pid if record and processes.is_alive(record) else None


def test_a_kubelet_that_was_killed_is_started_again_and_nothing_else_is(own_lab: Lab) -> None:
    """`status` reports the kubelet, and `up` starts it."""
    others = [(spec, name) for spec in own_lab.clusters for name in ("etcd", "kube-apiserver", "containerd")]
    before = [pid_of(*other) for other in others]
    killed = pid_of(EAST, "kubelet")
    assert killed
    os.kill(killed, signal.SIGKILL)
    assert "not running" in run_module(ROOT, "lab", "status").must_fail().text
    run_module(ROOT, "lab", "up").must_succeed()
    run_module(ROOT, "lab", "status").must_succeed()
    assert pid_of(EAST, "kubelet") not in (None, killed)
    assert [pid_of(*other) for other in others] == before


def test_a_third_cluster_comes_beside_the_two(own_lab: Lab) -> None:
    """The third cluster becomes ready, and the others are not restarted."""
    before = [pid_of(spec, "kube-apiserver") for spec in own_lab.clusters]
    run_module(ROOT, "lab", "up", "--clusters", "3").must_succeed()
    assert NORTH.name in run_module(ROOT, "lab", "status").must_succeed().text
    assert [pid_of(spec, "kube-apiserver") for spec in own_lab.clusters] == before


def test_a_rebuilt_cluster_is_another_one_under_the_same_name(own_lab: Lab) -> None:
    """It has new keys and none of the old objects. No program of the other cluster is restarted."""
    others = ("etcd", "kube-apiserver", "kubelet", "containerd")
    before, east = held_by(WEST)[KUBE_SYSTEM], [pid_of(EAST, each) for each in others]
    ca = (WEST.pki / "ca.crt").read_bytes()
    with addons.connect(WEST) as api:
        client.CoreV1Api(api).create_namespace(
            client.V1Namespace(metadata=client.V1ObjectMeta(name="of-the-old-cluster"))
        )
    run_module(ROOT, "lab", "rebuild", WEST.name).must_succeed()
    run_module(ROOT, "lab", "status").must_succeed()
    after = held_by(WEST)
    assert after[KUBE_SYSTEM] != before
    assert not [key for key in after if key.endswith("of-the-old-cluster")]
    assert (WEST.pki / "ca.crt").read_bytes() != ca
    assert [pid_of(EAST, each) for each in others] == east
    assert own_lab.clusters == existing()[: len(own_lab.clusters)]


def is_half_rebuilt() -> bool:
    """Return whether `rebuild` has removed the processes of the second cluster."""
    return WEST.removal_mark.exists() and not cgroups.members(cgroups.hierarchies(), WEST.cgroup)


@pytest.mark.usefixtures("own_lab")
def test_an_up_completes_a_rebuild_that_was_killed() -> None:
    """The old cluster is not restored."""
    ca = (WEST.pki / "ca.crt").read_bytes()
    kill_when(is_half_rebuilt, "rebuild", WEST.name)
    run_module(ROOT, "lab", "up").must_succeed()
    run_module(ROOT, "lab", "status").must_succeed()
    assert (WEST.pki / "ca.crt").read_bytes() != ca


def has_ended() -> bool:
    """Return whether `down` has ended all processes and removed nothing else yet."""
    return not cgroups.members(cgroups.hierarchies())


def is_off_the_network() -> bool:
    """Return whether `down` has removed the first network namespace."""
    return FABRIC not in network.namespaces()


def is_half_removed() -> bool:
    """Return whether `down` is removing the state."""
    return REMOVING_DIR.exists()


def has_keys() -> bool:
    """Return whether `up` has begun to create the first cluster's keys."""
    return (EAST.pki / "ca.crt").exists()


def has_a_container_runtime() -> bool:
    """Return whether `up` has started the first program of the first cluster."""
    return pid_of(EAST, "containerd") is not None


def has_a_kubelet() -> bool:
    """Return whether `up` has started all but the last programs of a cluster."""
    return pid_of(WEST, "kubelet") is not None


@pytest.mark.parametrize(
    ("down_at", "up_at"),
    [
        (has_ended, has_a_kubelet),
        (is_half_removed, has_keys),
        pytest.param(is_half_removed, has_a_kubelet, marks=pytest.mark.nightly),
        pytest.param(has_ended, has_a_container_runtime, marks=pytest.mark.nightly),
        pytest.param(is_off_the_network, has_a_kubelet, marks=pytest.mark.nightly),
        pytest.param(is_half_removed, has_a_container_runtime, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.usefixtures("own_lab")
def test_a_lab_heals_after_its_down_and_its_up_were_killed(
    down_at: Callable[[], bool], up_at: Callable[[], bool]
) -> None:
    """The kills come at any point, and the second `up` results in healthy clusters."""
    kill_when(down_at, "down")
    kill_when(up_at, "up")
    run_module(ROOT, "lab", "up").must_succeed()
    run_module(ROOT, "lab", "status").must_succeed()
    assert not REMOVING_DIR.exists()


def kill_when(is_reached: Callable[[], bool], command: str, *arguments: str) -> None:
    """Run a command of the lab, and send SIGKILL to it as soon as a condition holds."""
    process = subprocess.Popen(  # noqa: S603 - the project's own module
        (sys.executable, "-m", "lab", command, *arguments),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + REACHED_SECONDS
    while not is_reached():
        assert process.poll() is None, f"{command} has ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    for pid in session_members(process.pid):
        os.kill(pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
