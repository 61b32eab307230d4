"""The report's shape: what `--json` prints. Keys are camelCase and only ever added to."""

from enum import StrEnum

from pydantic import Field, computed_field

from ops.model import JsonModel
from ops.traffic.source import TrafficSource
from ops.verify.causes import Cause


class CheckId(StrEnum):
    """What is checked, in the order in which it is shown."""

    API = "api-reachable"
    ISTIOD = "istiod-ready"
    NETWORK_LABEL = "network-label"
    MESH_ROOT = "mesh-root"
    SERVICE = "service-present"
    SAMENESS = "sameness"
    GATEWAY = "gateway-reachable"
    REMOTE_SECRET = "remote-secret"  # noqa: S105 - the name of a check
    REMOTE_SYNCED = "remote-synced"
    CLIENT = "client-pod"
    ENDPOINTS = "endpoints"
    CROSSING = "crossing"
    TRAFFIC_INGRESS = "traffic-ingress"
    TRAFFIC_CLIENT = "traffic-client"


class State(StrEnum):
    """How a check ended; `warning` and `skipped` do not fail the whole."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(JsonModel):
    """
    One check.

    Attributes:
        peer: The other cluster, where the check is about a link.
        cause: The cause that this check shows itself.
        consequence_of: The cause, or the check of an API, elsewhere that explains this failure.
    """

    id: CheckId
    cluster: str
    peer: str | None = None
    state: State
    seen: str
    cause: Cause | None = None
    consequence_of: Cause | CheckId | None = None
    remedy: str | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether nothing is to be mended."""
        return self.state is not State.FAILED


class Traffic(JsonModel):
    """
    One curl loop against the weight.

    Attributes:
        audience: Whose requests it made; empty for everybody's.
        bound: How far `v2_share` may lie from `v2_expected`; both 0 to 1.
        instances: How many pods answered, by their names.
        errors: What failed requests brought, counted.
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
    """A cause with its remedy; `cluster` is null where it is the mesh's as a whole."""

    cause: Cause
    cluster: str | None
    peer: str | None
    seen: str
    remedy: str
    consequences: tuple[str, ...]


class Report(JsonModel):
    """All that `verify` has to say."""

    stack: str
    mesh: str
    v2_weight: int
    requests: int
    checks: tuple[Check, ...]
    traffic: tuple[Traffic, ...]
    causes: tuple[NamedCause, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ok(self) -> bool:
        """Whether all holds."""
        return all(check.ok for check in self.checks)
