"""A mesh of two clusters in time that passes only when it is waited for, to drill in."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ops.cluster.calls import ApiError
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
    """When something was taken away; `restored` is infinite until it is given back."""

    cut: float
    restored: float = float("inf")


@dataclass
class World:
    """
    Both clusters run both versions, and half of each version's requests go to either.

    Attributes:
        v2_weight: Percent.
        rate: Requests in a second from each source.
        detection_seconds: How long after a cut requests still go to what is away, and fail.
        return_seconds: How long after a restore none goes there yet.
        mute: Sources that cannot be asked, by cluster.
    """

    v2_weight: int = 10
    rate: float = 10
    detection_seconds: float = 3.0
    return_seconds: float = 4.0
    cuts: list[Cut] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    mute: set[str] = field(default_factory=set)
    at: float = START
    name: str = DRILLED

    def now(self) -> float:
        """Seconds since 1970."""
        return self.at

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds

    def instances(self) -> frozenset[str]:
        """The drilled cluster's pods: new ones after each restore."""
        if self.cuts and self.cuts[-1].restored > self.at:
            raise ApiError("no connection: No route to host")
        return frozenset({self._pod(self.at)})

    @contextlib.contextmanager
    def without(self, scenario: Scenario) -> Iterator[float]:
        """Take it away."""
        self.scenarios.append(scenario)
        cut = self.at
        self.cuts.append(Cut(cut=cut))
        try:
            yield cut
        finally:
            self.cuts[-1] = Cut(cut=cut, restored=self.at)

    def answer(self, number: int, began: float) -> Answer:
        """What becomes of a request."""
        # Of ten of each version in a row, every other one goes to the drilled cluster.
        version = "v2" if number * self.v2_weight % 100 < self.v2_weight else "v1"
        good = Answer(began=began, ended=began + 0.01, version=version, instance=f"helloworld-{STAYING}")
        if (number // 10 + number) % 2:
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
    """A source of requests in such a world; at the drilled cluster itself nothing is answered while it is away."""

    world: World
    cluster: str
    kind: TrafficSource

    def answers(self, since: float) -> Sequence[Answer]:
        """What has begun since then."""
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
    """Every source."""
    return tuple(
        Loop(world=world, cluster=cluster, kind=kind) for cluster in (DRILLED, STAYING) for kind in TrafficSource
    )


def conductor(world: World, detection: Detection | None = DETECTION, said: list[str] | None = None) -> Conductor:
    """A conductor in such a world."""
    return Conductor(
        drill_target=world,
        sources=loops(world),
        splits=dict.fromkeys((DRILLED, STAYING), Split(v2_weight=world.v2_weight, rate=world.rate)),
        detection=detection,
        gap_seconds=0.5,
        seconds=20,
        patience_seconds=60,
        progress=(said if said is not None else []).append,
        now=world.now,
        wait=world.wait,
    )
