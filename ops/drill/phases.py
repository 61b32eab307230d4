"""From answers and moments to the report: phases, shares, and how soon the mesh reacts."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ops.drill.answers import Answer
from ops.drill.report import Phase, PhaseRow, Second, SourceRow
from ops.traffic import split
from ops.traffic.source import TrafficSource
from ops.traffic.split import Tally

_SHORTEST_WINDOW_SECONDS = 5
# With fewer expected answers, a window without any is likely.
_SURE_TO_BE_SEEN = 5


@dataclass(frozen=True, kw_only=True)
class Moments:
    """
    The moments of one scenario.

    Attributes:
        starts: When each phase begins, in seconds since 1970 and in order; the second one begins with the cut.
    """

    starts: Mapping[Phase, float]

    @property
    def cut(self) -> float:
        """The moment of the cut."""
        _, cut, *_ = self.starts.values()
        return cut

    @property
    def healed(self) -> float:
        """The moment at which the part was up again."""
        return self.starts[Phase.BACK]

    @property
    def restored(self) -> float:
        """The moment from which the configured split must return."""
        *_, restored = self.starts.values()
        return restored

    def phase(self, answer: Answer) -> Phase:
        """Return the phase of a request."""
        if answer.ended < self.cut:
            return next(iter(self.starts))
        # A request in flight at the cut began before it.
        began = max(answer.began, self.cut)
        *_, phase = (phase for phase, start in self.starts.items() if start <= began)
        return phase


@dataclass(frozen=True, kw_only=True)
class Split:
    """
    The configured split, and how it is recognized.

    Attributes:
        v2_weight: In percent.
        rate: Requests per second.
    """

    v2_weight: int
    rate: float

    @property
    def window(self) -> int:
        """How many consecutive answers show it."""
        return max(split.enough(self.v2_weight), math.ceil(_SHORTEST_WINDOW_SECONDS * self.rate))

    def returned(
        self, answers: Sequence[Answer], since: float, served_by: Collection[str] | None = None
    ) -> float | None:
        """
        Return the seconds from `since` until the configured split is back; `None` if it is not.

        It is back from the first of `window` consecutive good answers with the configured split, but not before one of
        `served_by` has answered.

        Args:
            answers: In any order.
            since: Seconds since 1970.
            served_by: Instances of which one must have answered; `None` without this condition.
        """
        later = sorted((answer for answer in answers if answer.began >= since), key=lambda answer: answer.began)
        first_served = 0
        if served_by is not None:
            served = (index for index, answer in enumerate(later) if answer.instance in served_by)
            first_served = next(served, len(later))
        for first in range(len(later) - self.window + 1):
            last = first + self.window
            if first_served < last and self._holds(later[first:last]):
                return later[max(first, first_served)].began - since
        return None

    def _holds(self, answers: Sequence[Answer]) -> bool:
        tally = Tally(len(answers))
        tally.versions.update(answer.version for answer in answers if not answer.failed)
        return split.holds(tally, self.v2_weight)


@dataclass(frozen=True, kw_only=True)
class Course:
    """
    What happened in a scenario, apart from the requests.

    Attributes:
        instances: The drilled cluster's pods of helloworld, from before the cut and from after it.
        judged_from: A request that begins later must not fail, in seconds since 1970; `None` if none is judged.
        judged_until: A request that begins later may fail again.
    """

    moments: Moments
    split: Split
    instances: Collection[str]
    judged_from: float | None
    judged_until: float = math.inf

    def returned(self, answers: Sequence[Answer]) -> float | None:
        """Return the seconds from the restore until the split is back; `None` if it is not."""
        healthy = [answer for answer in answers if self.moments.phase(answer) is Phase.HEALTHY]
        expected = _share(healthy, self.instances) * self.split.window
        served_by = self.instances if expected >= _SURE_TO_BE_SEEN else None
        return self.split.returned(answers, self.moments.restored, served_by)

    def account(self, cluster: str, kind: TrafficSource, answers: Sequence[Answer], *, away: bool) -> SourceRow:
        """
        Summarize one source.

        Args:
            cluster: Where its requests start.
            kind: How they enter the mesh.
            answers: Of the whole scenario, in any order.
            away: Whether it starts at the part that was taken down.
        """
        by_phase: dict[Phase, list[Answer]] = {phase: [] for phase in self.moments.starts}
        for answer in answers:
            by_phase[self.moments.phase(answer)].append(answer)
        return SourceRow(
            cluster=cluster,
            kind=kind,
            away=away,
            detected_seconds=None if away else self._detected(answers),
            returned_seconds=self.returned(answers),
            late=self._late(answers, away=away),
            phases=tuple(self._row(phase, found) for phase, found in by_phase.items()),
            timeline=self._timeline(answers),
        )

    def _detected(self, answers: Sequence[Answer]) -> float:
        moments = self.moments
        return _failing([it for it in answers if moments.cut <= it.ended and it.began < moments.healed], moments.cut)

    def _late(self, answers: Sequence[Answer], *, away: bool) -> int | None:
        if self.judged_from is None:
            return None
        failed = [answer for answer in answers if answer.failed]
        late = sum(self.moments.phase(answer) is Phase.HEALTHY for answer in failed)
        if not away:
            late += sum(self.judged_from < answer.began < self.judged_until for answer in failed)
        return late

    def _row(self, phase: Phase, answers: Sequence[Answer]) -> PhaseRow:
        good = Counter(answer.version for answer in answers if not answer.failed)
        return PhaseRow(
            phase=phase,
            requests=len(answers),
            failed=sum(answer.failed for answer in answers),
            failing_seconds=_failing(answers, self.moments.starts[phase]),
            shares={version: count / good.total() for version, count in sorted(good.items())},
            drilled_share=_share(answers, self.instances),
            slowest_seconds=max((answer.ended - answer.began for answer in answers), default=0.0),
            errors=dict(Counter(answer.error for answer in answers if answer.failed)),
        )

    def _timeline(self, answers: Sequence[Answer]) -> tuple[Second, ...]:
        seconds: dict[int, list[Answer]] = defaultdict(list)
        for answer in answers:
            seconds[math.floor(answer.began - self.moments.cut)].append(answer)
        return tuple(
            Second(
                second=second,
                versions=dict(sorted(Counter(answer.version for answer in found if not answer.failed).items())),
                failed=sum(answer.failed for answer in found),
            )
            for second, found in sorted(seconds.items())
        )


def _failing(answers: Sequence[Answer], since: float) -> float:
    """Return the seconds until the beginning of the last failed request; one in flight at the cut began before it."""
    return max(0.0, max((answer.began for answer in answers if answer.failed), default=since) - since)


def _share(answers: Sequence[Answer], instances: Collection[str]) -> float:
    good = [answer for answer in answers if not answer.failed]
    return sum(answer.instance in instances for answer in good) / len(good) if good else 0.0
