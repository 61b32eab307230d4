"""Starts or repairs one cluster: its components in order, and the waits between them."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from errors import UserError
from kube import errors as kube_errors
from lab import faults
from lab.build.toolchain import Toolchain
from lab.clusters import addons, control_plane, kubeconfig, node
from lab.machine import cgroups, mounts, pki, processes
from lab.machine.processes import Component
from lab.spec import ClusterSpec

PROCESSES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "loadbalancer",
)
"""Every component that is a process of the host. CoreDNS is not one: it runs as a pod."""
STEPS = 6
"""The number of steps that `ensure` reports."""
_STORE = ("etcd", "kube-apiserver")
_START_SECONDS = 120.0


def ensure(
    spec: ClusterSpec,
    toolchain: Toolchain,
    archives: Sequence[Path],
    report: Callable[[str], None],
) -> None:
    """
    Ensure that the cluster runs, is Ready and has all images; a healthy cluster stays unchanged.

    Args:
        spec: The cluster.
        toolchain: The programs to run.
        archives: The images to load.
        report: Receives the name of each of the STEPS steps.

    Raises:
        UserError: A component failed; the message names it.
    """
    try:
        _ensure(spec, toolchain, archives, report)
    except (ApiException, HTTPError) as error:
        raise UserError(
            f"{spec.name}: a request to kube-apiserver failed ({kube_errors.describe(error)})",
            f"Read its log: python -m lab logs {spec.name} kube-apiserver; then run: make up",
        ) from error


def _ensure(
    spec: ClusterSpec,
    toolchain: Toolchain,
    archives: Sequence[Path],
    report: Callable[[str], None],
) -> None:
    report("keys and configuration")
    among = cgroups.hierarchies()
    pki.ensure(spec)
    kubeconfig.ensure(spec)
    node.configure(spec)
    cgroups.ensure(spec, among)
    mounts.ensure(spec)
    faults.heal(spec)
    procs_file = cgroups.procs_file(spec, among)

    def start(*components: Component) -> None:
        for component in components:
            processes.ensure(spec, component, procs_file)

    report("container runtime and etcd")
    start(
        node.containerd(spec),
        control_plane.etcd(spec, toolchain),
        control_plane.api_server(spec, toolchain),
    )
    with ThreadPoolExecutor(max_workers=1) as background:
        _wait(spec, "containerd", lambda: node.is_runtime_ready(spec), "containerd")
        images = background.submit(node.import_images, spec, archives)
        report("API server")
        _wait(spec, "kube-apiserver", lambda: control_plane.is_ready(spec), *_STORE)
        report("node")
        start(
            control_plane.controller_manager(spec, toolchain),
            control_plane.scheduler(spec, toolchain),
            node.kubelet(spec, toolchain),
            node.kube_proxy(spec, toolchain),
        )
        addons.apply(spec)
        start(load_balancer(spec))
        with addons.connect(spec) as api:
            _wait(spec, "kubelet", lambda: addons.is_node_ready(api, spec.name), *PROCESSES)
            report("images and CoreDNS")
            images.result()
            _wait(spec, "coredns", lambda: addons.is_dns_ready(api), *PROCESSES)
    report("Ready")


def load_balancer(spec: ClusterSpec) -> Component:
    """Return the program that assigns addresses to Services of type LoadBalancer."""
    return Component(
        "loadbalancer",
        (sys.executable, "-m", "lab.clusters.load_balancer", f"--cluster={spec.name}"),
        config_files=(Path(__file__).with_name("load_balancer.py"), spec.pki / "ca.crt", spec.pki / "loadbalancer.crt"),
        environment={"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"},
    )


def _wait(spec: ClusterSpec, component: str, is_ready: Callable[[], bool], *needed: str) -> None:
    processes.wait(spec, component, is_ready, *needed, seconds=_START_SECONDS)
