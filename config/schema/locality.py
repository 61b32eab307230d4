"""Section `clusters[].locality`, and checks of the regions that other sections name."""

from collections.abc import Sequence
from typing import Self

from pydantic import model_validator

from config.base import Section
from config.types import DNS_LABEL_MAX, Place
from errors import show, show_name


class Locality(Section):
    """The location of a cluster, for Istio's locality load balancing."""

    region: Place
    """The region. It must equal the region label of the cluster's nodes if they have one."""
    zone: Place | None = None
    """The zone in the region. If unset, the cluster has a region only."""

    @property
    def label(self) -> str:
        """Region and zone as the value of Istio's label."""
        return ".".join(filter(None, (self.region, self.zone)))

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.label) > DNS_LABEL_MAX:
            raise ValueError(
                f"region and zone have {len(self.label)} characters with the dot between them; "
                f"allowed: at most {DNS_LABEL_MAX}, since both become one label. Shorten one of them"
            )
        return self


def check_region(key: str, region: str, known: Sequence[str]) -> None:
    """
    Refuse a region without any cluster.

    Raises:
        ValueError: No cluster is in the region. The message starts with the full config key.
    """
    if region not in known:
        raise ValueError(f"{key}: got {show(region)}, but {listed(known)}; allowed: a region of clusters[].locality")


def listed(regions: Sequence[str]) -> str:
    """The clause of an error text that lists the regions of all clusters."""
    return f"the clusters are in {', '.join(map(show_name, regions))}" if regions else "no cluster has a locality"
