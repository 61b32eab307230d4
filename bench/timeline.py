"""The timeline of an `up`: every step of Pulumi, what each waited for, and the critical path."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bench import event_log
from bench.critical_path import Step, Wait, find_critical_path, find_waits
from bench.event_log import Event
from bench.resource_graph import ResourceGraph
from errors import UserError


@dataclass(frozen=True)
class Timeline:
    """
    The steps of one `up`.

    Attributes:
        seconds: From the start to the end of the command.
        resources: The number of resources in the state, components included.
        state_bytes: The size of the state's file.
    """

    seconds: float
    resources: int
    state_bytes: int
    steps: tuple[Step, ...]

    @cached_property
    def waits(self) -> list[Wait]:
        """What each step waited for, in the order of the starts."""
        return find_waits(self.steps)

    @cached_property
    def path(self) -> list[Wait]:
        """The critical path."""
        return find_critical_path(self.waits)

    @property
    def path_seconds(self) -> float:
        """The own seconds of the steps on the critical path."""
        return sum(wait.step.seconds for wait in self.path)

    @property
    def gap_seconds(self) -> float:
        """The seconds between the steps on the critical path, and before the first one."""
        return sum(wait.gap for wait in self.path)

    @property
    def rest_seconds(self) -> float:
        """The seconds from the end of the last step to the end of the command."""
        return self.seconds - self.path_seconds - self.gap_seconds

    def as_json(self) -> dict[str, Any]:
        """Return the timeline and everything that is computed from it, for a JSON file that `read` reads."""
        return {
            **asdict(self),
            "path_seconds": self.path_seconds,
            "gap_seconds": self.gap_seconds,
            "rest_seconds": self.rest_seconds,
            "critical_path": [wait.step.urn for wait in self.path],
            "steps": [
                {
                    **asdict(wait.step),
                    "waited_for": wait.waited_for.urn if wait.waited_for else None,
                    "gap": wait.gap,
                }
                for wait in self.waits
            ],
        }


def assemble(events: Iterable[Event], state: bytes, began: float, seconds: float) -> Timeline:
    """
    Return the timeline of a run.

    Args:
        events: What Pulumi sent, in the order of arrival.
        state: The file with the state after the run.
        began: When the command began, in seconds of the monotonic clock.
        seconds: How long the command took.
    """
    graph = ResourceGraph(json.loads(state)["checkpoint"]["latest"]["resources"])
    steps = [
        Step(
            urn=span.urn,
            op=span.op,
            group=graph.group(span.urn),
            start=span.start,
            end=span.end,
            waits_for=tuple(sorted(graph.waits_for(span.urn))),
        )
        for span in event_log.read_spans(events, began)
    ]
    return Timeline(seconds=seconds, resources=len(graph), state_bytes=len(state), steps=tuple(steps))


def read(file: Path) -> Timeline:
    """
    Read the timeline of an earlier run from its JSON file.

    Raises:
        UserError: The file is missing or has no timeline.
    """
    try:
        return TypeAdapter(Timeline).validate_python(json.loads(file.read_text())["timeline"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        raise UserError(
            f"--from {file} has no timeline", "Use a file that `python -m bench timeline --json` wrote"
        ) from None
