"""What `verify --json` prints."""

from pydantic import Field, computed_field

from ops.model import JsonModel
from ops.traffic.source import TrafficSource
from ops.verify.check import CheckState


class CheckResult(JsonModel):
    """
    The result of one check in one cluster, or of one link.

    Attributes:
        peer: The other cluster of the link.
        cause: The cause that this result shows.
        consequence_of: The cause that explains this failure, or the check that failed in the peer.
    """

    id: str
    cluster: str
    peer: str | None = None
    state: CheckState
    seen: str
    cause: str | None = None
    consequence_of: str | None = None
    remedy: str | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether it did not fail."""
        return self.state is not CheckState.FAILED

    @property
    def place(self) -> str:
        """Which check it is of, and where."""
        where = f"{self.cluster} of {self.peer}" if self.peer else self.cluster
        return f"{self.id} in {where}"


class Traffic(JsonModel):
    """
    One request loop against the weight.

    Attributes:
        source: Where its requests enter the mesh.
        audience: Whose requests it sent; empty for everybody's.
        bound: How far `v2_share` may be from `v2_expected`; all three are from 0 to 1.
        instances: How many pods answered.
        errors: How the failed requests ended, counted.
    """

    cluster: str
    source: TrafficSource = Field(alias="way")
    audience: str
    url: str
    requests: int
    v1: int
    v2: int
    failed: int
    v1_share: float
    v2_share: float
    v2_expected: float
    bound: float
    instances: int
    errors: dict[str, int]
    ok: bool


class NamedCause(JsonModel):
    """
    A cause that some check shows, with its remedy.

    Attributes:
        cluster: Where it is to be repaired; null for the mesh as a whole.
        peer: The other end, where it belongs to a link.
        consequences: The failed checks that it explains.
    """

    cause: str
    cluster: str | None
    peer: str | None
    seen: str
    remedy: str
    consequences: tuple[str, ...]


class Report(JsonModel):
    """
    The whole report.

    Attributes:
        away: The clusters that the config marks as away; nothing here is about them.
    """

    stack: str
    mesh: str
    v2_weight: int
    requests: int
    away: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...]
    traffic: tuple[Traffic, ...]
    causes: tuple[NamedCause, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.ok for check in self.checks)
