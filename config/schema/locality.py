"""Where clusters are, and the regions that other sections name."""

from collections.abc import Sequence
from typing import Self

from pydantic import model_validator

from config.base import Section
from config.types import DNS_LABEL_MAX, DnsLabel


class Locality(Section):
    """Where a cluster is, in the words of Istio's locality load balancing."""

    region: DnsLabel
    zone: DnsLabel | None = None

    @property
    def label(self) -> str:
        """Region and zone as the value of Istio's label."""
        return ".".join(filter(None, (self.region, self.zone)))

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.label) > DNS_LABEL_MAX:
            message = (
                f"region and zone have {len(self.label)} characters with the dot between them, and become one label; "
                f"allowed are {DNS_LABEL_MAX}"
            )
            raise ValueError(message)
        return self


def check_region(key: str, region: str, known: Sequence[str]) -> None:
    """
    Refuse a region that no cluster is in.

    Raises:
        ValueError: With the full config key.
    """
    if region not in known:
        message = f"{key}: got '{region}', and {named(known)}; allowed is a region of clusters[].locality"
        raise ValueError(message)


def named(regions: Sequence[str]) -> str:
    """The clause of an error text that lists the regions of all clusters."""
    return f"the clusters are in {', '.join(regions)}" if regions else "no cluster has a locality"
