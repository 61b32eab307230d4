"""The faults and the `up`s of the lab: the one module of `ops` that imports the lab; only `drill` loads it."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.schema import Cluster, KubeconfigAccess, Settings
from errors import UserError
from lab import deploy, engines
from lab.deploy import Command
from lab.faults import Nodes
from lab.machine import lock
from lab.stacks import LabStack, read_stack
from ops.drill.absence import Updates
from ops.drill.scenario import Faults


@dataclass(frozen=True, kw_only=True)
class LabUpdates:
    """
    Deploys a stack on the lab with the engine that deployed it.

    Attributes:
        descriptor: The lock of the lab.
    """

    stack: LabStack
    descriptor: int

    @property
    def command(self) -> str:
        """The user's command that deploys the stack as its file says."""
        return f"python -m lab.deploy up --stack {self.stack.name}"

    def up(self, config: Mapping[str, Any]) -> None:
        """
        Deploy the stack with these config values in place of its file's.

        What the engine prints goes to standard error: standard output is for the drill's report.

        Raises:
            UserError: It failed.
        """
        stack, output = self.stack.configured(config), sys.stderr.fileno()
        if code := deploy.deploy(Command.UP, stack, None, [], self.descriptor, output):
            raise UserError(f"`up` failed with exit code {code}", "Read its output above")


@dataclass(frozen=True, kw_only=True)
class HeldLab:
    """
    The lab, which no other command changes meanwhile.

    Attributes:
        faults: What cuts off its clusters.
        descriptor: Its lock.
    """

    faults: Faults
    descriptor: int

    def updates(self, stack: str) -> Updates:
        """
        Return what deploys a stack.

        Raises:
            UserError: The stack has no file of the lab, or the lab does not hold it.
        """
        found = read_stack(stack)
        if engines.claim(stack) is None:
            raise UserError(f"the lab does not hold stack {stack}", f"Run: make up STACK={stack}")
        return LabUpdates(stack=found, descriptor=self.descriptor)


@contextlib.contextmanager
def held(settings: Settings) -> Iterator[HeldLab]:
    """
    Lock the lab, and yield it.

    Raises:
        UserError: The stack is not the lab's, the lab is down or in use, or the user is not root; or a cut failed.
    """
    with lock.held() as descriptor:
        nodes = Nodes.behind({cluster.name: _kubeconfig(cluster) for cluster in settings.clusters})
        yield HeldLab(faults=nodes, descriptor=descriptor)


def _kubeconfig(cluster: Cluster) -> Path | None:
    access = cluster.access
    return access.path.expanduser() if isinstance(access, KubeconfigAccess) else None
