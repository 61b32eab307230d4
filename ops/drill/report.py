"""What `drill --json` prints."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, computed_field

from ops.drill.bound import Detection
from ops.drill.scenario import FailureMode, ScenarioKind, Target
from ops.model import JsonModel
from ops.traffic.source import TrafficSource


class Phase(StrEnum):
    """
    A part of a scenario; a request in flight at the cut is in the phase that the cut begins.

    Scenario failover has the phases healthy, away (from the cut to the restore) and back. Scenario away has all: dead
    (from the cut until the `up` has returned), away (until the restore), back (until the second `up` has returned) and
    restored.
    """

    HEALTHY = "healthy"
    DEAD = "dead"
    AWAY = "away"
    BACK = "back"
    RESTORED = "restored"


class PhaseRow(JsonModel):
    """
    The requests of one source in one phase.

    Attributes:
        failing_seconds: From the beginning of the phase to that of its last failed request; 0 without one.
        shares: The share of each version among the good answers, from 0 to 1.
        drilled_share: The share that the drilled cluster's own pods answered, from 0 to 1.
        slowest_seconds: The longest time of a request, failed or not.
        errors: How the failed requests ended, counted.
    """

    phase: Phase
    requests: int
    failed: int
    failing_seconds: float
    shares: dict[str, float]
    drilled_share: float
    slowest_seconds: float
    errors: dict[str, int]


class Second(JsonModel):
    """The requests that began in one second, counted from the cut: negative before it."""

    second: int
    versions: dict[str, int]
    failed: int


class SourceRow(JsonModel):
    """
    The result of one source.

    Attributes:
        kind: Where its requests enter the mesh.
        away: It starts at the part that was taken down, so its requests may fail meanwhile.
        detected_seconds: From the cut to the beginning of the last failed request; 0 without one, null where `away`.
        returned_seconds: From the beginning of the last phase until the configured split was back; null if it did not
            return.
        late: Requests that failed before the cut or while they are judged: in scenario failover after the cut and the
            bound, in scenario away in phase away after its grace. Null without a bound.
    """

    cluster: str
    kind: TrafficSource = Field(alias="way")
    away: bool
    detected_seconds: float | None
    returned_seconds: float | None
    late: int | None
    phases: tuple[PhaseRow, ...]
    timeline: tuple[Second, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether its split returned, and no request failed that was judged."""
        return self.returned_seconds is not None and not self.late


class ScenarioRow(JsonModel):
    """
    One part taken down in one failure mode.

    Attributes:
        starts: When each phase began, in seconds from the cut.
        away_seconds: From the cut to the restore.
        bound_seconds: After the cut, requests may fail for so long without an `up`; null without outlier detection.
        grace_seconds: After the `up`, requests may fail for so long; null in scenario failover.
    """

    kind: ScenarioKind
    target: Target
    failure_mode: FailureMode
    cut: datetime
    starts: dict[Phase, float]
    away_seconds: float
    bound_seconds: float | None
    grace_seconds: float | None
    sources: tuple[SourceRow, ...]

    @property
    def judged_seconds(self) -> float | None:
        """From the cut until no request may fail any more; `None` without a bound."""
        if self.grace_seconds is None:
            return self.bound_seconds
        return self.starts[Phase.AWAY] + self.grace_seconds

    @computed_field  # type: ignore[prop-decorator]
    @property
    def lost(self) -> dict[Phase, int]:
        """The failed requests of each phase; between the first and the last one without the sources that are away."""
        first, *_, last = self.starts
        return {
            phase: sum(
                row.failed
                for source in self.sources
                for row in source.phases
                if row.phase is phase and (phase in {first, last} or not source.away)
            )
            for phase in self.starts
        }

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether all of its sources are ok."""
        return all(source.ok for source in self.sources)


class DrillReport(JsonModel):
    """
    The whole report.

    Attributes:
        cluster: The one that was taken down.
        rate: Requests per second from each source.
        detection: What the bounds are computed from; null without outlier detection.
        notes: Failures that the config makes inevitable.
    """

    stack: str
    mesh: str
    cluster: str
    v2_weight: int
    rate: float
    detection: Detection | None
    notes: tuple[str, ...]
    scenarios: tuple[ScenarioRow, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether no request failed that was judged, and every split returned."""
        return all(scenario.ok for scenario in self.scenarios)
