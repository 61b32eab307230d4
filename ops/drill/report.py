"""The report's shape: what `drill --json` prints. Keys are camelCase and only ever added to."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, computed_field

from ops.drill.bound import Detection
from ops.drill.scenario import FailureMode, Target
from ops.model import JsonModel
from ops.traffic.source import TrafficSource


class Phase(StrEnum):
    """Before the cut, from it until the restore, and after that; a request under way at the cut is of the second."""

    HEALTHY = "healthy"
    AWAY = "away"
    BACK = "back"


class PhaseRow(JsonModel):
    """
    The requests of one source in one phase.

    Attributes:
        shares: The part of each version among the good answers, 0 to 1.
        drilled_share: The part that the drilled cluster's own pods answered, 0 to 1.
        slowest_seconds: How long the slowest took, failed or not.
        errors: What failed requests brought, counted.
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
    How one source fared.

    Attributes:
        away: It starts at what was taken away, so its requests had to fail meanwhile.
        detected_seconds: From the cut to the beginning of the last request that failed; 0 where none did, null where
            they had to.
        returned_seconds: From the restore until the configured split was back; null where it was not.
        late: Requests that failed though nothing was taken away, or later after the cut than the bound; null without a
            bound.
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
        """Whether its split came back, and no request failed beyond the bound."""
        return self.returned_seconds is not None and not self.late


class ScenarioRow(JsonModel):
    """One thing taken away in one way; `bound_seconds` is null where no rule finds a dead endpoint out."""

    target: Target
    failure_mode: FailureMode
    cut: datetime
    away_seconds: float
    bound_seconds: float | None
    sources: tuple[SourceRow, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether all of its sources are."""
        return all(source.ok for source in self.sources)


class DrillReport(JsonModel):
    """
    All that the drill has to say.

    Attributes:
        cluster: The one that was taken away.
        rate: Requests in a second from each source.
        detection: What the bounds are computed from; null where no rule finds a dead endpoint out.
        notes: What the config makes inevitable.
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
        """Whether nothing failed beyond its bound, and all came back without a hand."""
        return all(scenario.ok for scenario in self.scenarios)
