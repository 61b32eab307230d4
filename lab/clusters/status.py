"""What state a cluster's components are in."""

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
"""Everything that `logs` finds a log of."""
_MIB = 2**20


@dataclass(frozen=True)
class State:
    """One line of `status`."""

    component: str
    is_well: bool
    detail: str


def of(spec: ClusterSpec) -> tuple[State, ...]:
    """Return the state of each component of the cluster, its node and its name service."""
    return (*(_process(spec, name) for name in PROCESSES), *_in_cluster(spec))


def memory_mib(spec: ClusterSpec) -> int | None:
    """Return the memory of all the cluster's processes and pods, in MiB; None if it has none."""
    used = cgroups.memory_bytes(spec, cgroups.hierarchies())
    return None if used is None else used // _MIB


def log_of(spec: ClusterSpec, component: str) -> Path:
    """Return the newest log of a component; UserError if there is no such component or log."""
    if component not in COMPONENTS:
        raise UserError(f"There is no component {component}", f"Name one of: {', '.join(COMPONENTS)}")
    found = [processes.log_path(spec, component)]
    if component == "coredns":
        found = list(spec.logs.glob("pods/kube-system_coredns-*/coredns/*.log"))
    logs = [path for path in found if path.exists()]
    if not logs:
        raise UserError(
            f"{component} of {spec.name} has written no log yet",
            f"See whether it runs: python -m lab status; or look into {spec.logs}",
        )
    return max(logs, key=lambda path: path.stat().st_mtime)


def _process(spec: ClusterSpec, name: str) -> State:
    record = processes.read_record(processes.record_path(spec, name))
    if record and processes.is_alive(record):
        return State(name, is_well=True, detail=f"pid {record.pid}")
    return State(name, is_well=False, detail="not running")


def _in_cluster(spec: ClusterSpec) -> tuple[State, ...]:
    if not control_plane.is_ready(spec):
        return tuple(State(it, is_well=False, detail="unknown: no API") for it in ("coredns", "node"))
    with addons.connect(spec) as api:
        return (
            _asked("coredns", lambda: addons.is_dns_ready(api), "available"),
            _asked("node", lambda: addons.is_node_ready(api, spec.name), "Ready"),
        )


def _asked(component: str, ask: Callable[[], bool], well: str) -> State:
    try:
        is_well = ask()
    except (ApiException, HTTPError) as error:
        return State(component, is_well=False, detail=f"unknown: {kube_errors.describe(error)}")
    return State(component, is_well, well if is_well else f"not {well}")
