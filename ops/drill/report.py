"""What `drill --json` prints."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, computed_field

from ops.drill.bound import Detection
from ops.drill.scenario import FailureMode, Target
from ops.model import JsonModel
from ops.traffic.source import TrafficSource


class Phase(StrEnum):
    """Before the cut, from the cut to the restore, and after it; a request in flight at the cut is in the second."""

    HEALTHY = "healthy"
    AWAY = "away"
    BACK = "back"


class PhaseRow(JsonModel):
    """
    The requests of one source in one phase.

    Attributes:
        shares: The share of each version among the good answers, from 0 to 1.
        drilled_share: The share that the drilled cluster's own pods answered, from 0 to 1.
        slowest_seconds: The longest time of a request, failed or not.
        errors: How the failed requests ended, counted.
    """

    phase: Phase
    requests: int
    failed: int
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
        returned_seconds: From the restore until the configured split was back; null if it did not return.
        late: Requests that failed before the cut, or after the cut and the bound; null without a bound.
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
        """Whether its split returned, and no request failed beyond the bound."""
        return self.returned_seconds is not None and not self.late


class ScenarioRow(JsonModel):
    """One part taken down in one failure mode; `bound_seconds` is null without outlier detection."""

    target: Target
    failure_mode: FailureMode
    cut: datetime
    away_seconds: float
    bound_seconds: float | None
    sources: tuple[SourceRow, ...]

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
        """Whether no request failed beyond its bound, and every split returned by itself."""
        return all(scenario.ok for scenario in self.scenarios)
