"""
From empty clusters of the lab to a verified mesh: the program compared with the same steps by hand.

Both sides begin and end with empty clusters, and `python -m ops verify` verifies both. CPU seconds are those of the
commands and of the clusters together.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from rich.progress import Progress

from bench import show
from bench.preview import PreviewMonitor
from bench.program import PROGRAM
from bench.stats import Comparison, Sample, Side
from bench.timing import ROOT, alternate, run, take
from config.base import NAMESPACE
from config.schema import Cluster, KubeconfigAccess, Settings
from errors import UserError
from lab.build import toolchain
from lab.engines import Engine, find_pulumi
from lab.machine import cgroups, lock
from lab.spec import CHARTS_DIR, existing
from lab.stacks import STACK
from lab.standin import stack as lab_stack
from ops import stack
from recorder.program import run_program
from recorder.registrations import Registration
from recorder.values import Properties

MAX_RATIO = 0.8
CHART = "kubernetes:helm.sh/v4:Chart"
GATEWAY_SERVICES = {
    "istio-ingressgateway": "LoadBalancer",
    "istio-egressgateway": "ClusterIP",
    "istio-eastwestgateway": "LoadBalancer",
}
RELEASES = ("base", "istiod", *GATEWAY_SERVICES)
BY_HAND = ("helm", "istioctl", "kubectl")
KINDS = (
    "namespaces",
    "customresourcedefinitions",
    "clusterroles",
    "clusterrolebindings",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
)
"""The kinds that both sides create outside of their namespaces."""
MESH_NAMESPACES = frozenset({"namespace/istio-system", "namespace/sample"})

Found = Mapping[Path, frozenset[str]]
"""The names of objects, by kubeconfig."""


@dataclass(frozen=True)
class Run:
    """One run to a verified mesh: the installation and the verification."""

    install: Sample
    verify: Sample


@dataclass(frozen=True)
class Meshes:
    """The measurements; `total` is `install` plus the verification."""

    total: Comparison
    install: Comparison


def chosen_engine(requested: Engine | None) -> Engine:
    """Return the engine to measure: the requested one, else Pulumi if it is installed."""
    pulumi, _ = find_pulumi(may_install=False)
    return requested or (Engine.PULUMI if pulumi else Engine.STAND_IN)


def find_empty_clusters() -> Found:
    """
    Return the objects of the lab's clusters before a mesh.

    Raises:
        UserError: The lab is down, or its clusters are not empty.
    """
    kubeconfigs = [path for _, path in accesses(stack.load(STACK, ROOT))]
    if not all(path.exists() for path in kubeconfigs):
        raise UserError("The lab is down", "Run: python -m lab up")
    found = _objects(kubeconfigs)
    if any(MESH_NAMESPACES & names for names in found.values()):
        raise UserError("The clusters have a mesh", "Run: python -m lab.deploy destroy")
    return found


def measure(found: Found, pairs: int, engine: Engine, report: Callable[[str], None]) -> Meshes:
    """
    Compare the program with the steps by hand.

    Args:
        found: The objects of the empty clusters.
        pairs: The number of runs of each side.
        engine: The engine that runs the program.
        report: Receives the progress.
    """
    config = stack.load(STACK, ROOT)
    empty = _without_definitions(found)
    _empty(empty)
    runs: dict[Side, list[Run]] = {side: [] for side in Side}
    with TemporaryDirectory() as folder:
        for pair, side in alternate(pairs):
            report(f"pair {pair} of {pairs}, {side}")
            try:
                runs[side].append(
                    _by_program(engine) if side is Side.OURS else _by_hand(Path(folder) / str(pair), config)
                )
            finally:
                report(f"pair {pair} of {pairs}, {side}: emptying the clusters")
                if side is Side.OURS:
                    deploy("destroy", engine)
                _empty(empty)
    return Meshes(
        total=Comparison.of({side: [each.install + each.verify for each in runs[side]] for side in Side}),
        install=Comparison.of({side: [each.install for each in runs[side]] for side in Side}),
    )


def verify() -> None:
    """
    Verify the mesh by traffic.

    Raises:
        RunFailedError: A check failed.
    """
    run([sys.executable, "-m", "ops", "verify", "--stack", STACK])


def deploy(command: str, engine: Engine, folder: Path = ROOT, options: Sequence[str] = ()) -> None:
    """
    Run the program of a checkout on the lab, with further options for the engine.

    Raises:
        RunFailedError: The run failed.
    """
    run([sys.executable, "-m", "lab.deploy", command, "--engine", engine, *options], folder=folder)


@contextlib.contextmanager
def installed(found: Found, engine: Engine, report: Callable[[str], None]) -> Iterator[None]:
    """Install a verified mesh on empty clusters, and remove it at the end."""
    with emptied(found, engine, report):
        report("installing the mesh")
        deploy("up", engine)
        verify()
        yield


@contextlib.contextmanager
def emptied(found: Found, engine: Engine, report: Callable[[str], None]) -> Iterator[None]:
    """Empty the clusters, and remove at the end what was installed on them."""
    empty = _without_definitions(found)
    _empty(empty)
    try:
        yield
    finally:
        report("emptying the clusters")
        deploy("destroy", engine)
        _empty(empty)


def _by_program(engine: Engine) -> Run:
    return Run(install=take(lambda: deploy("up", engine), clusters_cpu), verify=take(verify, clusters_cpu))


def _by_hand(folder: Path, config: Settings) -> Run:
    charts = program_charts(lab_stack.load(ROOT, STACK).config)
    for name, text in floor_files(config, charts).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for cluster, kubeconfig in accesses(config):
        (folder / cluster.name / "kubeconfig").symlink_to(kubeconfig)
    programs = programs_by_hand()

    def install() -> None:
        with lock.held():
            run(
                [str(ROOT / "bench" / "floor" / "floor.sh"), str(CHARTS_DIR)],
                folder=folder,
                path=programs,
            )

    return Run(install=take(install, clusters_cpu), verify=take(verify, clusters_cpu))


def floor_files(config: Settings, charts: Mapping[tuple[str, str], Properties]) -> Mapping[str, str]:
    """
    Return the files that the steps by hand start with: names, and the program's Helm values.

    Args:
        config: The settings with the names of the clusters.
        charts: The program's values, by cluster and release.
    """
    files: dict[str, str] = {}
    for cluster in config.clusters:
        values = {release: dict(charts[cluster.name, release]) for release in RELEASES}
        for release in ("base", "istiod"):
            # `istioctl create-remote-secret` uses the chart's reader.
            values[release]["global"] = {**values[release]["global"], "enableReaderRBAC": True}
        for release, service in GATEWAY_SERVICES.items():
            # The program creates its own Services; by hand they are the chart's.
            values[release]["service"] = {"type": service}
        files |= {f"{cluster.name}/{release}.yaml": yaml.safe_dump(values[release]) for release in RELEASES}
        files |= {
            f"{cluster.name}/network": cluster.network,
            f"{cluster.name}/versions": " ".join(cluster.versions),
        }
    return files


def program_charts(config: Mapping[str, str]) -> Mapping[tuple[str, str], Properties]:
    """Return the program's values of each chart, by cluster and release."""
    return {(cluster, chart.inputs["name"]): chart.inputs["values"] for cluster, chart in registered(config, CHART)}


def registered(config: Mapping[str, str], kind: str) -> list[tuple[str, Registration]]:
    """Run the program without an engine; return the registrations of a kind, each with its cluster."""
    monitor = PreviewMonitor(project=NAMESPACE, stack=STACK, preview=True)
    run_program(PROGRAM, monitor, config)
    return [
        (monitor.registrations[each.parent].inputs["clusterName"], each)
        for each in monitor.registrations.values()
        if each.type == kind and each.parent
    ]


def clusters_cpu() -> float:
    """Return the CPU seconds of the lab's clusters: their processes and pods, including deleted pods."""
    among = cgroups.hierarchies()
    known = existing()
    systems = [cgroups.tracker(among).root / cluster.system_cgroup for cluster in known]
    pids = set[int]().union(*map(cgroups.processes, systems))
    # If both cgroup versions are mounted, both count the same pods.
    accounting = max(among, key=lambda hierarchy: ("cpuacct" in hierarchy.controllers, hierarchy.is_v2))
    return sum(map(_process_cpu, pids)) + sum(_cgroup_cpu(accounting, cluster.pods_cgroup) for cluster in known)


def _process_cpu(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        # The name, in parentheses, may contain spaces; user and system time are the 12th and 13th field after it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0


def _cgroup_cpu(hierarchy: cgroups.Hierarchy, cgroup: str) -> float:
    folder = hierarchy.root / cgroup
    if hierarchy.is_v2:
        return int((folder / "cpu.stat").read_text().split()[1]) / 1e6
    return int((folder / "cpuacct.usage").read_text()) / 1e9


def accesses(config: Settings) -> list[tuple[Cluster, Path]]:
    """Return the clusters, each with its kubeconfig."""
    return [
        (cluster, cluster.access.path) for cluster in config.clusters if isinstance(cluster.access, KubeconfigAccess)
    ]


def _objects(kubeconfigs: list[Path]) -> Found:
    return {path: frozenset(kubectl(path, "get", ",".join(KINDS), "--output=name").split()) for path in kubeconfigs}


def _without_definitions(found: Found) -> Found:
    """Return the objects without the CRDs, which Helm and Pulumi keep on purpose."""
    return {path: frozenset(name for name in names if not name.endswith(".istio.io")) for path, names in found.items()}


def _empty(before: Found) -> None:
    """Delete the objects that did not exist before, including istiod's copies of the root certificate."""
    for kubeconfig, names in _objects(list(before)).items():
        if new := sorted(names - before[kubeconfig]):
            kubectl(kubeconfig, "delete", "--timeout=180s", *new)
        root = "--field-selector=metadata.name=istio-ca-root-cert"
        kubectl(kubeconfig, "delete", "configmaps", "--all-namespaces", root)


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    """
    Run the lab's kubectl, and return its output.

    Raises:
        RunFailedError: kubectl failed.
    """
    return run([str(programs_by_hand() / "kubectl"), f"--kubeconfig={kubeconfig}", *arguments])


@cache
def programs_by_hand() -> Path:
    """Return the folder of the programs that the floor runs, in the lab's versions; build those that are missing."""
    return toolchain.ensure(Progress(console=show.errors), *BY_HAND).binary("kubectl").parent
