"""Runs the scenarios in turn, each with the phases healthy, away and back."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from tenacity import Retrying, retry_if_result, wait_fixed

from errors import UserError
from ops.cluster.calls import ApiError
from ops.drill.answers import Answer
from ops.drill.bound import Detection
from ops.drill.loops import LONGEST_SECONDS, Source
from ops.drill.phases import Course, Moments, Split
from ops.drill.report import ScenarioRow
from ops.drill.scenario import Scenario

# A request that began this long ago has ended, and is in the log of its pod.
_ENDED_SECONDS = LONGEST_SECONDS + 1
_LOOK_SECONDS = 2


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
        seconds: The shortest length of each phase; `away` is longer by the bound.
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
    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep

    def longest_seconds(self, scenarios: Sequence[Scenario]) -> float:
        """Return how long all scenarios may take."""
        allowance = self.return_seconds + _ENDED_SECONDS
        return allowance + sum(2 * self._phase_seconds + (self._bound(it) or 0) + allowance for it in scenarios)

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
            UserError: There is nothing to take down.
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
        self.progress(f"{scenario.target} of {self.drill_target.name}, {scenario.failure_mode}: healthy")
        began = self.now()
        self.wait(self._phase_seconds)
        with self.drill_target.without(scenario) as cut:
            self.progress(f"{scenario.target} of {self.drill_target.name}, {scenario.failure_mode}: away")
            self.wait(self._phase_seconds + (bound or 0))
        moments = Moments(began=began, cut=cut, restored=self.now())
        self.progress(f"{scenario.target} of {self.drill_target.name}, {scenario.failure_mode}: back")
        answers: dict[Source, Sequence[Answer]] = {}

        def course(source: Source) -> Course:
            split = self.splits[source.cluster]
            return Course(moments=moments, split=split, instances=instances, bound_seconds=bound)

        def missing() -> list[str]:
            instances.update(self._instances())
            answers.update({source: self._seen(source, began) for source in self.sources})
            return [_named(source) for source in self.sources if course(source).returned(answers[source]) is None]

        if lacking := self._until_none(missing):
            self.progress(f"not back within {self.return_seconds:.0f} s: {', '.join(lacking)}")
        return ScenarioRow(
            target=scenario.target,
            failure_mode=scenario.failure_mode,
            cut=datetime.fromtimestamp(cut, UTC),
            away_seconds=moments.restored - cut,
            bound_seconds=bound,
            sources=tuple(
                course(source).account(source.cluster, source.kind, found, away=self._is_away(scenario, source))
                for source, found in answers.items()
            ),
        )

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
