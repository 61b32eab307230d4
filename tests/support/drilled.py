"""A double of a drilled mesh of two clusters, whose clock advances only when something waits."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ops.cluster.calls import ApiError
from ops.drill.absence import Absence
from ops.drill.answers import Answer
from ops.drill.bound import Detection
from ops.drill.phases import Split
from ops.drill.scenario import Scenario
from ops.drill.timeline import Conductor
from ops.traffic.source import TrafficSource

DRILLED, STAYING = "east", "west"
START = 1_000_000.0
DETECTION = Detection(
    errors=1,
    interval_seconds=1,
    base_ejection_seconds=30,
    max_ejection_percent=100,
    connect_timeout_seconds=1,
    per_try_timeout_seconds=0.5,
)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The time of an outage; `restored` is infinite while it lasts."""

    cut: float
    restored: float = float("inf")


@dataclass
class World:
    """
    A mesh whose clusters run both versions, and each serve half of a version's requests.

    Attributes:
        v2_weight: The weight of v2 in percent.
        rate: The requests per second of each source.
        detection_seconds: The seconds after a cut in which requests still go to the failed cluster, and fail.
        return_seconds: The seconds after a restore in which no request goes to the cluster yet.
        mute: The clusters whose sources cannot be queried.
        up_seconds: How long an `up` takes.
        push_seconds: The seconds after an `up` in which requests still go to the cluster that is away.
        api_seconds: The seconds after a restore in which the drilled cluster's API does not answer yet.
        during_up: Called in the middle of each `up`.
        ups: The config values of each `up` that ended, in place of the stack file's.
        moves: When no request goes to the drilled cluster by its config.
    """

    v2_weight: int = 10
    rate: float = 10
    detection_seconds: float = 3.0
    return_seconds: float = 4.0
    cuts: list[Cut] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    mute: set[str] = field(default_factory=set)
    up_seconds: float = 14.0
    push_seconds: float = 1.0
    api_seconds: float = 0.0
    during_up: Callable[[], None] = lambda: None
    ups: list[Mapping[str, Any]] = field(default_factory=list)
    moves: list[Cut] = field(default_factory=list)
    command: str = "deploy --stack lab"
    at: float = START
    name: str = DRILLED

    def now(self) -> float:
        """Return the seconds since 1970."""
        return self.at

    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.at += seconds

    def instances(self) -> frozenset[str]:
        """Return the pods of the drilled cluster, which are new after each restore."""
        if self.cuts and self.cuts[-1].restored + self.api_seconds > self.at:
            raise ApiError("no connection: No route to host")
        return frozenset({self._pod(self.at)})

    @contextlib.contextmanager
    def without(self, scenario: Scenario) -> Iterator[float]:
        """Fail the target of a scenario, and restore it at the end."""
        self.scenarios.append(scenario)
        cut = self.at
        self.cuts.append(Cut(cut=cut))
        try:
            yield cut
        finally:
            self.cuts[-1] = Cut(cut=cut, restored=self.at)

    def up(self, config: Mapping[str, Any]) -> None:
        """Deploy the stack: with config values the drilled cluster is away, and without any it is there again."""
        self.at += self.up_seconds / 2
        self.during_up()
        self.at += self.up_seconds / 2
        self.ups.append(config)
        if config:
            self.moves.append(Cut(cut=self.at + self.push_seconds))
        else:
            self.moves[-1] = replace(self.moves[-1], restored=min(self.moves[-1].restored, self.at))

    def answer(self, number: int, began: float) -> Answer:
        """Return the answer to a request."""
        # Of ten successive requests to a version, every second one goes to the drilled cluster.
        version = "v2" if number * self.v2_weight % 100 < self.v2_weight else "v1"
        good = Answer(began=began, ended=began + 0.01, version=version, instance=f"helloworld-{STAYING}")
        if (number // 10 + number) % 2:
            return good
        if any(move.cut <= began < move.restored for move in self.moves):
            return good
        for cut in self.cuts:
            if cut.cut <= began < min(cut.cut + self.detection_seconds, cut.restored):
                return Answer(began=began, ended=began + 5, error="no answer")
            if cut.cut <= began < cut.restored + self.return_seconds:
                return good
        return Answer(began=began, ended=began + 0.01, version=version, instance=self._pod(began))

    def _pod(self, at: float) -> str:
        return f"helloworld-{DRILLED}-{sum(cut.restored <= at for cut in self.cuts)}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Loop:
    """A source of requests in this mesh; the source in the drilled cluster has no answers during an outage."""

    world: World
    cluster: str
    kind: TrafficSource

    def answers(self, since: float) -> Sequence[Answer]:
        """Return the answers to the requests that began since then."""
        if self.cluster in self.world.mute:
            raise ApiError("no connection: timed out")
        gap = 1 / self.world.rate
        first, last = (int((moment - START) / gap) for moment in (since, self.world.at))
        return [answer for number in range(first, last) if (answer := self._answer(number, START + number * gap))]

    def _answer(self, number: int, began: float) -> Answer:
        away = self.cluster == DRILLED and any(
            cut.cut <= began < cut.restored and scenario.takes_away(self.kind)
            for cut, scenario in zip(self.world.cuts, self.world.scenarios, strict=True)
        )
        if away:
            return Answer(began=began, ended=began + 5, error="no answer")
        return self.world.answer(number, began)


def loops(world: World) -> tuple[Loop, ...]:
    """Return all sources of requests."""
    return tuple(
        Loop(world=world, cluster=cluster, kind=kind) for cluster in (DRILLED, STAYING) for kind in TrafficSource
    )


CONFIG: Mapping[str, Any] = {
    "mesh": {"id": "mcsps-lab"},
    "v2Weight": 10,
    "clusters": [
        {
            "name": name,
            "network": f"network-{name}",
            "versions": ["v1", "v2"],
            "access": {"kind": "kubeconfig", "path": f"/{name}"},
        }
        for name in (DRILLED, STAYING)
    ],
}
"""The plain config of this mesh."""


def absence(world: World) -> Absence:
    """Return what moves the traffic off the drilled cluster of this mesh."""
    return Absence.of(DRILLED, CONFIG, world)


def conductor(
    world: World,
    detection: Detection | None = DETECTION,
    said: list[str] | None = None,
    moved_by: Absence | None = None,
) -> Conductor:
    """Return a conductor of drills in this mesh."""
    return Conductor(
        drill_target=world,
        sources=loops(world),
        splits=dict.fromkeys((DRILLED, STAYING), Split(v2_weight=world.v2_weight, rate=world.rate)),
        detection=detection,
        gap_seconds=0.5,
        seconds=20,
        return_seconds=60,
        progress=(said if said is not None else []).append,
        absence=moved_by,
        now=world.now,
        wait=world.wait,
    )
