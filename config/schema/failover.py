"""Section `failover`: how clients detect failed endpoints, and which endpoints they use instead."""

from collections.abc import Sequence

from pydantic import Field

from config.base import NAMESPACE, Section
from config.schema.locality import check_region, listed
from config.types import Attempts, Errors, Place, PositivePercent, Seconds
from errors import show

MIN_REGIONS = 2


class FailoverStep(Section):
    """The region to which requests of another region fail over."""

    from_: Place = Field(alias="from")
    """The region of the clients."""
    to: Place
    """The region whose endpoints they use if none of their own region is healthy."""


class Failover(Section):
    """
    How clients detect failed endpoints, and which endpoints they use instead.

    Clients prefer endpoints of their own cluster, then of their zone, then of their region, then of the region that
    `order` names, and then all others. docs/adr/0011 has the reasons for the defaults.
    """

    enabled: bool | None = None
    """
    Whether clients eject failed endpoints and fail over by locality. If unset, it is on if the clusters are in two or
    more regions and the installer is helm.
    """
    consecutive_gateway_errors: Errors = 3
    """How many consecutive responses 502, 503 or 504, or failed connections, eject an endpoint."""
    interval_seconds: Seconds = 5
    """How often ejected endpoints are checked for the end of their ejection, in seconds."""
    base_ejection_seconds: Seconds = 30
    """How long an endpoint is ejected the first time, in seconds; each further ejection takes longer."""
    max_ejection_percent: PositivePercent = 100
    """The largest share of a version's endpoints that can be ejected, in percent."""
    connect_timeout_seconds: Seconds = 2
    """After how many seconds an attempt to connect fails."""
    retry_attempts: Attempts = 2
    """How often a failed request is retried; the second retry leaves the cluster. Set 0 to never repeat a request."""
    per_try_timeout_seconds: Seconds = 2
    """After how many seconds an attempt without a response fails."""
    order: tuple[FailoverStep, ...] = ()
    """The failover order of regions. A region without an entry fails over to the next one, in the clusters' order."""

    def is_on(self, regions: Sequence[str]) -> bool:
        """Whether failover is on, explicitly or because of the number of regions."""
        return len(regions) >= MIN_REGIONS if self.enabled is None else self.enabled

    @property
    def changed(self) -> tuple[str, object] | None:
        """The first key, other than `enabled`, whose value is not the default, with the value."""
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            if name != "enabled" and value != info.default:
                return str(info.alias), value
        return None

    def check(self, regions: Sequence[str]) -> None:
        """
        Refuse settings that do not fit the clusters' regions.

        Raises:
            ValueError: A setting does not fit. The message starts with the full config key.
        """
        if self.enabled and len(regions) < MIN_REGIONS:
            raise ValueError(
                f"{NAMESPACE}:failover.enabled: got true, but {listed(regions)}; allowed: true with at least "
                f"{MIN_REGIONS} regions. Set clusters[].locality.region, or remove the key"
            )
        seen: dict[str, int] = {}
        for index, step in enumerate(self.order):
            place = f"{NAMESPACE}:failover.order[{index}]"
            check_region(f"{place}.from", step.from_, regions)
            check_region(f"{place}.to", step.to, regions)
            if step.from_ == step.to:
                raise ValueError(f"{place}.to: got {show(step.to)}, which equals from; allowed: another region")
            if step.from_ in seen:
                raise ValueError(
                    f"{place}.from: got {show(step.from_)}, which order[{seen[step.from_]}] has too; "
                    f"allowed: one entry for each region"
                )
            seen[step.from_] = index
