"""What the drill takes down, how it fails, what makes it fail, and what is done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from errors import UserError
from ops.traffic.source import TrafficSource


class ScenarioKind(StrEnum):
    """What is done about the failure: nothing but the mesh's own failover, or an `up` with the cluster away."""

    FAILOVER = "failover"
    AWAY = "away"


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


def select(
    kind: ScenarioKind, targets: Sequence[Target] | None, failure_modes: Sequence[FailureMode] | None
) -> list[Scenario]:
    """
    Return the scenarios of a kind in turn; without targets or failure modes, all of them.

    Raises:
        UserError: Only a part of the cluster is named, and the kind is about the whole cluster.
    """
    if kind is ScenarioKind.AWAY:
        if parts := [target for target in targets or () if target is not Target.NODE]:
            raise UserError(
                f"--target {parts[0]} is a part of a cluster, and --scenario {kind} takes all of it down",
                f"Leave --target out, or use --scenario {ScenarioKind.FAILOVER}",
            )
        targets = [Target.NODE]
    return [
        Scenario(target=target, failure_mode=failure_mode)
        for target in targets or Target
        for failure_mode in failure_modes or FailureMode
    ]


class Faults(Protocol):
    """Cuts a cluster's node, or pods on it, off the network."""

    def cut(self, cluster: str, pods: Sequence[str] | None = None, *, is_silent: bool) -> None:
        """Let the node, or only the pods with these addresses, drop all packets or answer TCP with a reset."""

    def heal(self, cluster: str) -> None:
        """Remove every cut of a cluster; does nothing without one."""
