"""Section `failover`: how clients find a dead endpoint, and where they go instead."""

from collections.abc import Sequence

from pydantic import Field

from config.base import NAMESPACE, Section
from config.schema.locality import check_region, named
from config.types import Attempts, DnsLabel, Errors, PositivePercent, Seconds

MIN_REGIONS = 2


class FailoverStep(Section):
    """Where the requests of a region go next when none of its own endpoints answers."""

    from_: DnsLabel = Field(alias="from")
    to: DnsLabel


class Failover(Section):
    """How clients find out that an endpoint is dead, and where they go instead; docs/adr/0011 has the reasons."""

    enabled: bool | None = None
    """Unset: where the clusters have two regions or more."""
    consecutive_gateway_errors: Errors = 3
    interval_seconds: Seconds = 5
    base_ejection_seconds: Seconds = 30
    max_ejection_percent: PositivePercent = 100
    connect_timeout_seconds: Seconds = 2
    retry_attempts: Attempts = 2
    per_try_timeout_seconds: Seconds = 2
    order: tuple[FailoverStep, ...] = ()

    def is_on(self, regions: Sequence[str]) -> bool:
        """Whether it is asked for, or these regions ask for it."""
        return len(regions) >= MIN_REGIONS if self.enabled is None else self.enabled

    def check(self, regions: Sequence[str]) -> None:
        """
        Refuse what these regions do not allow.

        Raises:
            ValueError: With the key.
        """
        if self.enabled and len(regions) < MIN_REGIONS:
            message = (
                f"{NAMESPACE}:failover.enabled: got true, and {named(regions)}; allowed with {MIN_REGIONS} regions or "
                f"more: set clusters[].locality.region, or leave it out"
            )
            raise ValueError(message)
        begun: dict[str, int] = {}
        for index, step in enumerate(self.order):
            place = f"{NAMESPACE}:failover.order[{index}]"
            check_region(f"{place}.from", step.from_, regions)
            check_region(f"{place}.to", step.to, regions)
            if step.from_ == step.to:
                message = f"{place}.to: got '{step.to}', which is also from; allowed is another region"
                raise ValueError(message)
            if step.from_ in begun:
                message = (
                    f"{place}.from: '{step.from_}' is also that of order[{begun[step.from_]}], which alone counts; "
                    f"allowed is one step from each region"
                )
                raise ValueError(message)
            begun[step.from_] = index
