"""Runs the scenarios in turn, each in phases."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from tenacity import Retrying, retry_if_result, wait_fixed

from errors import UserError
from ops.cluster.calls import ApiError
from ops.drill.absence import GRACE_SECONDS, Absence
from ops.drill.answers import Answer
from ops.drill.bound import Detection
from ops.drill.loops import LONGEST_SECONDS, Source
from ops.drill.phases import Course, Moments, Split
from ops.drill.report import Phase, ScenarioRow
from ops.drill.scenario import Scenario, ScenarioKind

# A request that began this long ago has ended, and is in the log of its pod.
_ENDED_SECONDS = LONGEST_SECONDS + 1
_LOOK_SECONDS = 2
# Far more than an `up` of a few changes takes.
_UP_SECONDS = 120


class DrillTarget(Protocol):
    """A cluster of which parts can be taken down."""

    @property
    def name(self) -> str:
        """The cluster's name."""

    def instances(self) -> frozenset[str]:
        """Return the names of its helloworld pods; an ApiError where its API does not answer."""

    def without(self, scenario: Scenario) -> AbstractContextManager[float]:
        """Take down what a scenario names; yields the moment of the cut, in seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Conductor:
    """
    Runs the scenarios.

    Attributes:
        splits: The configured split, by the cluster at which requests enter: an audience may belong to a region.
        seconds: The shortest length of each phase; `away` is longer by the bound or the grace.
        absence: Moves the traffic off the drilled cluster and back; `None` leaves the failure to the mesh.
        return_seconds: How long the split may take to return.
        gap_seconds: The average time between two requests to one endpoint.
        now: Returns the seconds since 1970.
        wait: Waits for so many seconds.
    """

    drill_target: DrillTarget
    sources: Sequence[Source]
    splits: Mapping[str, Split]
    detection: Detection | None
    gap_seconds: float
    seconds: float
    return_seconds: float
    progress: Callable[[str], None]
    absence: Absence | None = None
    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep

    def longest_seconds(self, scenarios: Sequence[Scenario]) -> float:
        """Return how long all scenarios may take."""
        allowance = self.return_seconds + _ENDED_SECONDS
        return allowance + sum(self._longest_seconds(scenario, allowance) for scenario in scenarios)

    def _longest_seconds(self, scenario: Scenario, allowance: float) -> float:
        if self.absence:
            return 4 * self._phase_seconds + GRACE_SECONDS + 2 * _UP_SECONDS + 2 * allowance
        return 2 * self._phase_seconds + (self._bound(scenario) or 0) + allowance

    def settle(self) -> None:
        """
        Wait until every source gets the configured split.

        Raises:
            UserError: It does not get it.
        """
        began = self.now()

        def missing() -> list[str]:
            return [
                _named(source)
                for source in self.sources
                if self.splits[source.cluster].returned(self._seen(source, began), began) is None
            ]

        if lacking := self._until_none(missing):
            raise UserError(
                f"the split is not as configured before the drill: {', '.join(lacking)}",
                "Run: make verify STACK=<stack>",
            )

    def conduct(self, scenarios: Sequence[Scenario]) -> Iterator[ScenarioRow]:
        """
        Run each scenario.

        Raises:
            ApiError: An API fails while nothing is taken down.
            UserError: There is nothing to take down, or an `up` failed.
        """
        for scenario in scenarios:
            yield self._run(scenario)

    @property
    def _phase_seconds(self) -> float:
        # A shorter phase does not show the split.
        return max(self.seconds, *(split.window / split.rate for split in self.splits.values()))

    def _bound(self, scenario: Scenario) -> float | None:
        return self.detection.bound(scenario.failure_mode, self.gap_seconds) if self.detection else None

    def _run(self, scenario: Scenario) -> ScenarioRow:
        bound = self._bound(scenario)
        instances = set(self.drill_target.instances())
        self._announce(scenario, Phase.HEALTHY)
        began = self.now()
        self.wait(self._phase_seconds)
        later = self._moved_away(scenario, self.absence) if self.absence else self._taken_down(scenario, bound or 0)
        moments = Moments(starts={Phase.HEALTHY: began, **later})
        *_, last = moments.starts
        self._announce(scenario, last)
        answers: dict[Source, Sequence[Answer]] = {}
        judged_from, judged_until = self._judged(moments, bound)

        def course(source: Source) -> Course:
            return Course(
                moments=moments,
                split=self.splits[source.cluster],
                instances=instances,
                judged_from=judged_from,
                judged_until=judged_until,
            )

        def missing() -> list[str]:
            instances.update(self._instances())
            answers.update({source: self._seen(source, began) for source in self.sources})
            return [_named(source) for source in self.sources if course(source).returned(answers[source]) is None]

        if lacking := self._until_none(missing):
            self.progress(f"not back within {self.return_seconds:.0f} s: {', '.join(lacking)}")
        return ScenarioRow(
            kind=ScenarioKind.AWAY if self.absence else ScenarioKind.FAILOVER,
            target=scenario.target,
            failure_mode=scenario.failure_mode,
            cut=datetime.fromtimestamp(moments.cut, UTC),
            starts={phase: start - moments.cut for phase, start in moments.starts.items()},
            away_seconds=moments.healed - moments.cut,
            bound_seconds=bound,
            grace_seconds=GRACE_SECONDS if self.absence else None,
            sources=tuple(
                course(source).account(source.cluster, source.kind, found, away=self._is_away(scenario, source))
                for source, found in answers.items()
            ),
        )

    def _judged(self, moments: Moments, bound: float | None) -> tuple[float | None, float]:
        """Return between which moments no request may fail; `None` as the first one if none is judged."""
        if self.absence:
            return moments.starts[Phase.AWAY] + GRACE_SECONDS, moments.healed
        return None if bound is None else moments.cut + bound, math.inf

    def _taken_down(self, scenario: Scenario, bound: float) -> dict[Phase, float]:
        """Leave the failure to the mesh; return when each phase after the first one began."""
        with self.drill_target.without(scenario) as cut:
            self._announce(scenario, Phase.AWAY)
            self.wait(self._phase_seconds + bound)
        return {Phase.AWAY: cut, Phase.BACK: self.now()}

    def _moved_away(self, scenario: Scenario, absence: Absence) -> dict[Phase, float]:
        """Move the traffic off the failed cluster by an `up`, and back by another one; return as above."""
        name = self.drill_target.name
        with contextlib.ExitStack() as deployed:
            with self.drill_target.without(scenario) as cut:
                self._announce(scenario, Phase.DEAD)
                self.wait(self._phase_seconds)
                self.progress(f"up, with away: true for {name}")
                deployed.enter_context(self._naming_what_remains(absence))
                absence.begin()
                moved = self.now()
                self._announce(scenario, Phase.AWAY)
                self.wait(self._phase_seconds + GRACE_SECONDS)
            healed = self.now()
            self._announce(scenario, Phase.BACK)
            self.wait(self._phase_seconds)
            if self._until_none(lambda: [] if self._instances() else [name]):
                raise UserError(
                    f"{name} was restored, and its API does not answer within {self.return_seconds:.0f} s",
                    "Run: python -m lab status",
                )
            self.progress("up, as the stack's file says")
            absence.end()
        return {Phase.DEAD: cut, Phase.AWAY: moved, Phase.BACK: healed, Phase.RESTORED: self.now()}

    @contextlib.contextmanager
    def _naming_what_remains(self, absence: Absence) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.progress(
                f"the mesh is not deployed as the stack's file says: {self.drill_target.name} may still be away; "
                f"run: {absence.updates.command}"
            )
            raise

    def _announce(self, scenario: Scenario, phase: Phase) -> None:
        self.progress(f"{scenario.target} of {self.drill_target.name}, {scenario.failure_mode}: {phase}")

    def _is_away(self, scenario: Scenario, source: Source) -> bool:
        return source.cluster == self.drill_target.name and scenario.takes_away(source.kind)

    def _seen(self, source: Source, since: float) -> Sequence[Answer]:
        """Return the answers but the latest: requests that began before those may still be in flight."""
        try:
            found = source.answers(since)
        except ApiError:
            return ()
        return [answer for answer in found if answer.began < self.now() - _ENDED_SECONDS]

    def _instances(self) -> frozenset[str]:
        try:
            return self.drill_target.instances()
        except ApiError:
            return frozenset()

    def _until_none(self, missing: Callable[[], list[str]]) -> list[str]:
        """Poll until nothing is missing or the time is up; return what is missing then."""
        end = self.now() + self.return_seconds + _ENDED_SECONDS
        retrying = Retrying(
            retry=retry_if_result(bool),
            stop=lambda _: self.now() >= end,
            wait=wait_fixed(_LOOK_SECONDS),
            sleep=self.wait,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else [],
        )
        return retrying(missing)


def _named(source: Source) -> str:
    return f"{source.cluster} {source.kind}"
