"""What is taken away, how it dies, and who takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ops.traffic.source import TrafficSource


class Target(StrEnum):
    """What is taken away of a cluster."""

    HELLOWORLD = "helloworld"
    GATEWAYS = "gateways"
    NODE = "node"


class FailureMode(StrEnum):
    """How it dies: with an answer that says so, or with none at all."""

    RESET = "reset"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing taken away in one way."""

    target: Target
    failure_mode: FailureMode

    def takes_away(self, kind: TrafficSource) -> bool:
        """Tell whether requests that start at the cluster itself, in this way, may fail: nobody else can serve them."""
        return self.target is Target.NODE or (self.target is Target.GATEWAYS and kind is TrafficSource.INGRESS)


class Faults(Protocol):
    """Whoever can take a cluster's node, or pods on it, off the network."""

    def cut(self, cluster: str, pods: Sequence[str] | None = None, *, is_silent: bool) -> None:
        """Let the node, or the pods with these addresses alone, answer nothing, or each TCP packet with a reset."""

    def heal(self, cluster: str) -> None:
        """Take back every cut of a cluster; harmless without one."""
