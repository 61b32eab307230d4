"""The status of a cluster's components."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from errors import UserError
from kube import errors as kube_errors
from lab.clusters import addons, control_plane
from lab.clusters.cluster import PROCESSES
from lab.machine import cgroups, processes
from lab.spec import ClusterSpec

COMPONENTS = (*PROCESSES, "coredns")
"""Every component that has a log."""
_MIB = 2**20


@dataclass(frozen=True)
class ComponentStatus:
    """The status of one component, a line of `status`."""

    component: str
    is_well: bool
    detail: str


def of(spec: ClusterSpec) -> tuple[ComponentStatus, ...]:
    """Return the status of each component of the cluster, of its node and of CoreDNS."""
    return (*(_process(spec, name) for name in PROCESSES), *_in_cluster(spec))


def memory_mib(spec: ClusterSpec) -> int | None:
    """Return the memory of all processes and pods of the cluster, in MiB; None if there are none."""
    used = cgroups.memory_bytes(spec, cgroups.hierarchies())
    return None if used is None else used // _MIB


def log_of(spec: ClusterSpec, component: str) -> Path:
    """
    Return the newest log of a component.

    Raises:
        UserError: The component or its log does not exist.
    """
    if component not in COMPONENTS:
        raise UserError(f"There is no component {component}", f"Use one of: {', '.join(COMPONENTS)}")
    found = [processes.log_path(spec, component)]
    if component == "coredns":
        found = list(spec.logs.glob("pods/kube-system_coredns-*/coredns/*.log"))
    logs = [path for path in found if path.exists()]
    if not logs:
        raise UserError(
            f"{component} of {spec.name} has no log yet",
            f"Check that it runs: python -m lab status. Logs are in {spec.logs}",
        )
    return max(logs, key=lambda path: path.stat().st_mtime)


def _process(spec: ClusterSpec, name: str) -> ComponentStatus:
    record = processes.read_record(processes.record_path(spec, name))
    if record and processes.is_alive(record):
        return ComponentStatus(name, is_well=True, detail=f"pid {record.pid}")
    return ComponentStatus(name, is_well=False, detail="not running")


def _in_cluster(spec: ClusterSpec) -> tuple[ComponentStatus, ...]:
    if not control_plane.is_ready(spec):
        return tuple(ComponentStatus(it, is_well=False, detail="unknown: no API") for it in ("coredns", "node"))
    with addons.connect(spec) as api:
        return (
            _queried("coredns", lambda: addons.is_dns_ready(api), "available"),
            _queried("node", lambda: addons.is_node_ready(api, spec.name), "Ready"),
        )


def _queried(component: str, ask: Callable[[], bool], well: str) -> ComponentStatus:
    try:
        is_well = ask()
    except (ApiException, HTTPError) as error:
        return ComponentStatus(component, is_well=False, detail=f"unknown: {kube_errors.describe(error)}")
    return ComponentStatus(component, is_well, well if is_well else f"not {well}")
