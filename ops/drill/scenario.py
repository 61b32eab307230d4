"""What the drill takes down, how it fails, and what makes it fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ops.traffic.source import TrafficSource


class Target(StrEnum):
    """The part of a cluster that is taken down."""

    HELLOWORLD = "helloworld"
    GATEWAYS = "gateways"
    NODE = "node"


class FailureMode(StrEnum):
    """How it fails: TCP connections are reset, or packets vanish without an answer."""

    RESET = "reset"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One part taken down in one failure mode."""

    target: Target
    failure_mode: FailureMode

    def takes_away(self, kind: TrafficSource) -> bool:
        """Return whether requests that enter at the cluster itself may fail, because nothing else can serve them."""
        return self.target is Target.NODE or (self.target is Target.GATEWAYS and kind is TrafficSource.INGRESS)


class Faults(Protocol):
    """Cuts a cluster's node, or pods on it, off the network."""

    def cut(self, cluster: str, pods: Sequence[str] | None = None, *, is_silent: bool) -> None:
        """Let the node, or only the pods with these addresses, drop all packets or answer TCP with a reset."""

    def heal(self, cluster: str) -> None:
        """Remove every cut of a cluster; does nothing without one."""
