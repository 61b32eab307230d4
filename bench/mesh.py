"""
From ready empty clusters of the lab to a verified mesh: the program's way over the same steps by hand.

Both sides begin with and leave behind empty clusters; both are verified by `python -m ops verify`. CPU seconds are
those of the commands and of the clusters together.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bench.stats import Comparison, Sample, Side
from bench.timing import ROOT, BenchError, alternate, run, take
from components import _istio_values
from lab import cgroups, lock
from lab.deploy import STACK
from lab.spec import CHARTS_DIR, FABRIC, STATE_DIR
from ops import stack
from settings import Cluster, KubeconfigAccess, Settings

MAX_RATIO = 0.8
BINARIES = STATE_DIR / "bin"
KINDS = (
    "namespaces",
    "customresourcedefinitions",
    "clusterroles",
    "clusterrolebindings",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
)
"""What both sides make outside of their own namespaces."""
MESH_NAMESPACES = frozenset({"namespace/istio-system", "namespace/sample"})

Found = Mapping[Path, frozenset[str]]
"""Names of objects by kubeconfig."""


@dataclass(frozen=True)
class Run:
    """One way to a verified mesh."""

    install: Sample
    verify: Sample


@dataclass(frozen=True)
class Meshes:
    """What was measured; `total` is `install` with the verification after it."""

    total: Comparison
    install: Comparison


def measure(pairs: int, tell: Callable[[str], None]) -> Meshes:
    """
    Compare the two ways.

    Raises:
        BenchError: The lab is down, or its clusters are not empty.
    """
    config = stack.load(STACK, ROOT)
    kubeconfigs = [path for _, path in _accesses(config)]
    if not all(path.exists() for path in kubeconfigs):
        raise BenchError("the lab is down; run: python -m lab up")
    empty = _objects(kubeconfigs)
    if any(MESH_NAMESPACES & names for names in empty.values()):
        raise BenchError("the clusters hold a mesh; run: python -m lab.deploy destroy")
    runs: dict[Side, list[Run]] = {side: [] for side in Side}
    with TemporaryDirectory() as folder:
        for pair, side in alternate(pairs):
            tell(f"pair {pair} of {pairs}, {side}")
            try:
                runs[side].append(_by_program() if side is Side.OURS else _by_hand(Path(folder) / str(pair), config))
            finally:
                tell(f"pair {pair} of {pairs}, {side}: emptying the clusters")
                if side is Side.OURS:
                    run([sys.executable, "-m", "lab.deploy", "destroy"])
                _empty(empty)
    return Meshes(
        total=Comparison.of({side: [each.install + each.verify for each in runs[side]] for side in Side}),
        install=Comparison.of({side: [each.install for each in runs[side]] for side in Side}),
    )


def verify() -> None:
    """Prove the mesh by traffic; RunFailedError if it does not hold."""
    run([sys.executable, "-m", "ops", "verify", "--stack", STACK])


def deploy() -> None:
    """Have the program carried out; RunFailedError if that fails."""
    run([sys.executable, "-m", "lab.deploy", "up"])


def _by_program() -> Run:
    return Run(install=take(deploy, clusters_cpu), verify=take(verify, clusters_cpu))


def _by_hand(folder: Path, config: Settings) -> Run:
    for name, text in floor_files(config).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for cluster, kubeconfig in _accesses(config):
        (folder / cluster.name / "kubeconfig").symlink_to(kubeconfig)

    def install() -> None:
        with lock.held():
            run(
                [str(ROOT / "bench" / "floor" / "floor.sh"), str(CHARTS_DIR)],
                folder=folder,
                path=BINARIES,
            )

    return Run(install=take(install, clusters_cpu), verify=take(verify, clusters_cpu))


def floor_files(config: Settings) -> Mapping[str, str]:
    """Write what a person has at hand before the first command: names, and the program's own Helm values."""
    given, patience = config.istio.values, config.istio.timeout_seconds

    def gateway(network: str | None, service: Mapping[str, str]) -> str:
        ours = _istio_values.gateway_values(network_gateway=network, timeout_seconds=patience)
        # The program makes Services of its own; by hand they are the chart's.
        return yaml.safe_dump(_istio_values.merge({**ours, "service": service}, given.gateway))

    # `istioctl create-remote-secret` takes the chart's own reader.
    reader = {"global": {"enableReaderRBAC": True}}
    files = {
        "base.yaml": yaml.safe_dump(
            _istio_values.merge(_istio_values.merge(_istio_values.base_values(), given.base), reader)
        ),
        "gateway.yaml": gateway(None, {"type": "LoadBalancer"}),
        "egress.yaml": gateway(None, {"type": "ClusterIP"}),
    }
    for cluster in config.clusters:
        istiod = _istio_values.istiod_values(
            mesh_id=config.mesh.id,
            trust_domain=config.mesh.trust_domain,
            cluster_name=cluster.name,
            network=cluster.network,
            hub=config.istio.hub,
            tag=config.istio.tag,
            timeout_seconds=patience,
        )
        files |= {
            f"{cluster.name}/network": cluster.network,
            f"{cluster.name}/versions": " ".join(cluster.versions),
            f"{cluster.name}/istiod.yaml": yaml.safe_dump(
                _istio_values.merge(_istio_values.merge(istiod, given.istiod), reader)
            ),
            f"{cluster.name}/eastwest.yaml": gateway(cluster.network, {"type": "LoadBalancer"}),
        }
    return files


def clusters_cpu() -> float:
    """Read the CPU seconds that all of the lab's clusters have used."""
    for hierarchy in cgroups.hierarchies():
        folder = hierarchy.root / FABRIC
        if "cpuacct" in hierarchy.controllers:
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        if hierarchy.is_v2 and (folder / "cpu.stat").exists():
            return int((folder / "cpu.stat").read_text().split()[1]) / 1e6
    raise BenchError("no cgroup hierarchy accounts for CPU time")


def _accesses(config: Settings) -> list[tuple[Cluster, Path]]:
    return [
        (cluster, cluster.access.path) for cluster in config.clusters if isinstance(cluster.access, KubeconfigAccess)
    ]


def _objects(kubeconfigs: list[Path]) -> Found:
    return {path: frozenset(_kubectl(path, "get", ",".join(KINDS), "--output=name").split()) for path in kubeconfigs}


def _empty(before: Found) -> None:
    """Delete what was not there before, istiod's copies of the root certificate included."""
    for kubeconfig, names in _objects(list(before)).items():
        if new := sorted(names - before[kubeconfig]):
            _kubectl(kubeconfig, "delete", "--timeout=180s", *new)
        root = "--field-selector=metadata.name=istio-ca-root-cert"
        _kubectl(kubeconfig, "delete", "configmaps", "--all-namespaces", root)


def _kubectl(kubeconfig: Path, *arguments: str) -> str:
    return run([str(BINARIES / "kubectl"), f"--kubeconfig={kubeconfig}", *arguments])
