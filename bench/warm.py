"""The parts of a warm `make up`: programs and images are built, and there is no cluster."""

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
    """Seconds of each part, and what the verified lab's processes and pods hold in memory."""

    lab: float
    deploy: float
    verify: float
    memory_mib: int

    @property
    def total(self) -> float:
        """Seconds from no cluster to a verified mesh."""
        return self.lab + self.deploy + self.verify


def measure(engine: Engine, tell: Callable[[str], None]) -> Warm:
    """Take the lab down, and up again to a verified mesh, which stays."""
    tell("taking the lab down")
    run([sys.executable, "-m", "lab", "down"])
    seconds = {}
    parts = {"lab": _lab_up, "deploy": lambda: mesh.deploy("up", engine), "verify": mesh.verify}
    for name, part in parts.items():
        tell(name)
        seconds[name] = take(part).wall
    memory = sum(status.memory_mib(cluster) or 0 for cluster in spec.existing())
    return Warm(**seconds, memory_mib=memory)


def _lab_up() -> None:
    run([sys.executable, "-m", "lab", "up"])
