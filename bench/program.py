"""
The cost of the program in a preview, compared with a bare program of as many trivial resources and the same SDKs.

Both run as new processes on the same recording monitor, so the figure includes neither an engine nor a cluster.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bench import stats
from bench.stats import Comparison, Sample, Side
from bench.timing import ROOT, alternate, run, take
from errors import UserError

PROGRAM = ROOT / "bench" / "offline.py"
BARE_PROGRAM = ROOT / "bench" / "bare_program.py"
MAX_RATIO = 1.3


@dataclass(frozen=True)
class Size:
    """The comparison with one number of clusters."""

    clusters: int
    resources: int
    comparison: Comparison


@dataclass(frozen=True)
class Growth:
    """
    The growth of the CPU seconds from one size to the next.

    Attributes:
        sizes: The two numbers of resources.
        exponent: The exponent of the program's growth; 1 is linear in the number of resources.
        ours: The program's seconds for each further resource.
        floor: The floor's seconds for each further resource.
    """

    sizes: tuple[int, int]
    exponent: float
    ours: float
    floor: float


def measure(counts: Sequence[int], pairs: int, report: Callable[[str], None]) -> list[Size]:
    """Compare the program with the floor for each number of clusters."""
    with TemporaryDirectory() as folder:
        return [_measure_size(Path(folder), count, pairs, report) for count in counts]


def grow(sizes: Sequence[Size]) -> list[Growth]:
    """Return the growth from each size to the next."""
    found = []
    for smaller, larger in pairwise(sizes):
        resources = (smaller.resources, larger.resources)
        ours = (_cpu(smaller.comparison.ours), _cpu(larger.comparison.ours))
        floor = (_cpu(smaller.comparison.floor), _cpu(larger.comparison.floor))
        found.append(
            Growth(
                sizes=resources,
                exponent=stats.growth(resources, ours),
                ours=stats.slope(resources, ours),
                floor=stats.slope(resources, floor),
            )
        )
    return found


def program_config(folder: Path, clusters: int) -> dict[str, str]:
    """Write kubeconfigs without real clusters, and return a stack config that uses them."""
    names = [f"cluster-{number}" for number in range(clusters)]
    for name in names:
        (folder / name).write_text(_kubeconfig(name))
    values = {
        "mesh": {"id": "bench"},
        "clusters": [
            {
                "name": name,
                "network": f"network-{name}",
                "versions": ["v1", "v2"],
                "access": {"kind": "kubeconfig", "path": str(folder / name)},
            }
            for name in names
        ],
        "v2Weight": 10,
    }
    return {f"mcsps:{key}": json.dumps(value) for key, value in values.items()}


def _cpu(samples: Sequence[Sample]) -> float:
    return stats.cpu(samples).median


def _measure_size(folder: Path, clusters: int, pairs: int, report: Callable[[str], None]) -> Size:
    ours = folder / f"program-{clusters}.json"
    ours.write_text(json.dumps(program_config(folder, clusters)))
    # The first runs count the resources, and load files and byte code into memory.
    resources = _preview(PROGRAM, ours)
    bare = folder / f"bare-{clusters}.json"
    # The provider is a resource as well.
    bare.write_text(json.dumps({"mcsps:count": str(resources - 1)}))
    if _preview(BARE_PROGRAM, bare) != resources:
        raise UserError("The bare program has another number of resources")
    samples: dict[Side, list[Sample]] = {side: [] for side in Side}
    for pair, side in alternate(pairs):
        report(f"{clusters} clusters, {resources} resources: pair {pair} of {pairs}, {side}")
        program, config = (PROGRAM, ours) if side is Side.OURS else (BARE_PROGRAM, bare)
        samples[side].append(take(partial(_preview, program, config)))
    return Size(clusters, resources, Comparison.of(samples))


def _preview(program: Path, config: Path) -> int:
    return int(run([sys.executable, "-m", "bench.preview", str(program), str(config)]))


def _kubeconfig(name: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}.invalid:6443"}}],
            "users": [{"name": name, "user": {"token": "none"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )
