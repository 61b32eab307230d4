"""The parts of a warm `make up`, which has programs and images but no cluster."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench import mesh
from bench.timing import run, take
from lab import spec
from lab.clusters import status
from lab.engines import Engine

MAX_SECONDS = 120
MAX_MIB = 3 * 1024


@dataclass(frozen=True)
class Warm:
    """The seconds of each part, and the memory of the verified lab's processes and pods."""

    lab: float
    deploy: float
    verify: float
    memory_mib: int

    @property
    def total(self) -> float:
        """Seconds from no cluster to a verified mesh."""
        return self.lab + self.deploy + self.verify


def measure(engine: Engine, report: Callable[[str], None]) -> Warm:
    """Remove the lab, and recreate it up to a verified mesh, which stays."""
    report("taking the lab down")
    run([sys.executable, "-m", "lab", "down"])
    seconds = {}
    parts = {"lab": _lab_up, "deploy": lambda: mesh.deploy("up", engine), "verify": mesh.verify}
    for name, part in parts.items():
        report(name)
        seconds[name] = take(part).wall
    memory = sum(status.memory_mib(cluster) or 0 for cluster in spec.existing())
    return Warm(**seconds, memory_mib=memory)


def _lab_up() -> None:
    run([sys.executable, "-m", "lab", "up"])
