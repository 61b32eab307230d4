"""Errors that config checks cannot find. The engines report what they waited for, and the next run can continue."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from lab.engines import Engine
from lab.machine import processes
from lab.spec import ClusterSpec
from tests.e2e.checkout import Checkout, faults
from tests.e2e.objects import Objects, left_over

pytestmark = pytest.mark.e2e

UNUSED = "198.18.0.250:6443"
TIMEOUT_SECONDS = 45


def test_a_cluster_that_cannot_be_reached_is_named_by_its_address(
    checkout: Checkout, engine: Engine, empty_clusters: tuple[ClusterSpec, ...], tmp_path: Path
) -> None:
    """Both `preview` and `up` fail, and name the server that did not answer."""
    document = yaml.safe_load(empty_clusters[0].kubeconfig.read_text())
    document["clusters"][0]["cluster"]["server"] = f"https://{UNUSED}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(document))
    before = checkout.config("clusters")
    access = {"kind": "kubeconfig", "path": str(kubeconfig)}
    checkout.configure(clusters=[{**before[0], "versions": ["v1", "v2"], "access": access}])
    try:
        for command in ("preview", "up"):
            said = checkout.deploy(command, engine).must_fail().text
            assert UNUSED in said, said
    finally:
        checkout.deploy("destroy", engine)
        checkout.configure(clusters=before)


def test_a_load_balancer_that_gets_no_address_is_named_and_the_next_up_goes_on_from_there(
    checkout: Checkout,
    engine: Engine,
    empty_clusters: tuple[ClusterSpec, ...],
    objects_before: dict[str, Objects],
) -> None:
    """The lab's load balancer is paused during the first `up`. One cluster is a complete mesh here."""
    spec = empty_clusters[0]
    clusters, istio = checkout.config("clusters"), checkout.config("istio")
    checkout.configure(
        clusters=[{**clusters[0], "versions": ["v1", "v2"]}], istio={**istio, "timeoutSeconds": TIMEOUT_SECONDS}
    )
    try:
        with _paused(spec, "loadbalancer"):
            said = checkout.deploy("up", engine).must_fail().text
        assert "istio-ingressgateway" in said or "istio-eastwestgateway" in said, said
        assert "address" in said, said
        checkout.deploy("up", engine).must_succeed()
        assert faults(checkout.verify(requests=100)) == []
    finally:
        checkout.deploy("destroy", engine).must_succeed()
        checkout.configure(clusters=clusters, istio=istio)
    assert left_over(spec, objects_before[spec.name]) == set()


@contextmanager
def _paused(spec: ClusterSpec, component: str) -> Iterator[None]:
    record = processes.read_record(processes.record_path(spec, component))
    assert record, f"{component} does not run"
    assert processes.is_alive(record), f"{component} does not run"
    signal.pidfd_send_signal(pid := os.pidfd_open(record.pid), signal.SIGSTOP)
    try:
        yield
    finally:
        signal.pidfd_send_signal(pid, signal.SIGCONT)
        os.close(pid)
