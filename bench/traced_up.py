"""Runs `up` from clusters without a mesh, and takes its timeline."""

import time
from collections.abc import Callable

from bench import event_log, mesh, timeline
from errors import UserError
from lab import pulumi_backend
from lab.engines import Engine
from lab.stacks import STACK


def measure(found: mesh.Found, engine: Engine, report: Callable[[str], None]) -> timeline.Timeline:
    """
    Install the mesh on empty clusters, and remove it at the end.

    Args:
        found: The objects of the empty clusters.
        engine: The engine that runs the program; it must be Pulumi.
        report: Receives the progress.

    Raises:
        UserError: The engine is not Pulumi, a command failed, or Pulumi sent no events.
    """
    if engine is not Engine.PULUMI:
        raise UserError(f"timeline reads the events of Pulumi, and the engine is {engine}", "Install Pulumi")
    with mesh.emptied(found, engine, report), event_log.receiving() as log:
        report("installing the mesh")
        began = time.monotonic()
        mesh.deploy("up", engine, options=[f"--event-log={log.address}"])
        seconds = time.monotonic() - began
        state = pulumi_backend.read_state(STACK)
    if not log.events:
        raise UserError("Pulumi sent no events", "Use Pulumi 3.206 or newer")
    return timeline.assemble(log.events, state, began, seconds)
