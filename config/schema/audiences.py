"""Section `audiences`: requests that get one version, whatever the weight."""

from collections.abc import Collection, Mapping, Sequence
from typing import Self

import re2
from pydantic import model_validator

from config.base import NAMESPACE, Section
from config.schema.locality import check_region
from config.schema.version import Version
from config.types import DnsLabel, HeaderName, HeaderPrefix, HeaderRegex, HeaderValue

MATCHES_ALL = ".*"


class Header(Section):
    """A request's header, and what it must be."""

    name: HeaderName
    exact: HeaderValue | None = None
    prefix: HeaderPrefix | None = None
    regex: HeaderRegex | None = None

    @property
    def match(self) -> Mapping[str, str]:
        """The one kind of match that is set, with its value, as Istio's StringMatch has it."""
        return self.model_dump(include={"exact", "prefix", "regex"}, exclude_none=True)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.match) != 1:
            got = " and ".join(self.match) or "none"
            message = f"got {got} of exact, prefix and regex; allowed is one of them"
            raise ValueError(message)
        return self

    @property
    def example(self) -> str | None:
        """A value that matches; none is made up for a regular expression."""
        return self.exact or (None if self.prefix is None else f"{self.prefix}0")

    def matches(self, value: str | None) -> bool:
        """Tell whether a request with this value, or without the header, is meant."""
        if value is None:
            return False
        if self.regex is not None:
            return re2.fullmatch(self.regex, value) is not None
        return value == self.exact or (self.prefix is not None and value.startswith(self.prefix))

    def covers(self, other: Self) -> bool:
        """
        Tell whether each request that `other` matches is surely matched by this one.

        What one regular expression says of a prefix or of another expression is judged only where they are the same,
        or it matches everything.
        """
        if self.name != other.name:
            return False
        if self.regex == MATCHES_ALL or self.match == other.match:
            return True
        if other.exact is not None:
            return self.matches(other.exact)
        return self.prefix is not None and other.prefix is not None and other.prefix.startswith(self.prefix)


class Audience(Section):
    """A part of the requests that gets one version, whatever the weight."""

    name: DnsLabel
    version: Version
    header: Header | None = None
    region: DnsLabel | None = None
    """Of the cluster from whose pods or through whose ingress gateway the requests come."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.header is None and self.region is None:
            message = (
                "names neither header nor region, and would be everybody; allowed is one of them or both, "
                "and v2Weight for everybody"
            )
            raise ValueError(message)
        return self

    def means(self, headers: Mapping[str, str]) -> bool:
        """Tell whether it is about requests with such headers, named in lower case."""
        return self.header is None or self.header.matches(headers.get(self.header.name))


def check_audiences(
    audiences: Sequence[Audience], regions: Mapping[str, str | None], versions: Collection[Version]
) -> None:
    """
    Refuse audiences that cannot be served.

    Args:
        audiences: In the order in which they are tried.
        regions: Region by cluster: each request comes from one of these.
        versions: Those that run somewhere.

    Raises:
        ValueError: With the key.
    """
    seen: dict[str, int] = {}
    known = tuple(dict.fromkeys(filter(None, regions.values())))
    for index, audience in enumerate(audiences):
        place = f"{NAMESPACE}:audiences[{index}]"
        if audience.name in seen:
            message = (
                f"{place}.name: '{audience.name}' is also that of audiences[{seen[audience.name]}]; "
                f"allowed is one name for each audience"
            )
            raise ValueError(message)
        seen[audience.name] = index
        if audience.version not in versions:
            message = (
                f"{place}.version: got '{audience.version}', which no cluster runs; "
                f"allowed is a version that runs, or add {audience.version} to a cluster's versions"
            )
            raise ValueError(message)
        if audience.region is not None:
            check_region(f"{place}.region", audience.region, known)
        takers = _takers(audiences[:index], audience, regions)
        if takers:
            message = (
                f"{place}: '{audience.name}' never gets a request, for "
                f"{' and '.join(f'audiences[{taker}]' for taker in takers)} before it gets them all; "
                f"allowed is the narrower audience first"
            )
            raise ValueError(message)


def _takers(earlier: Sequence[Audience], later: Audience, regions: Mapping[str, str | None]) -> tuple[int, ...]:
    """Name by index the audiences that get all that a later one would; none where something is left for it."""
    found: set[int] = set()
    for region in regions.values():
        if later.region in {None, region}:
            taker = next((index for index, each in enumerate(earlier) if _takes(each, later, region)), None)
            if taker is None:
                return ()
            found.add(taker)
    return tuple(sorted(found))


def _takes(earlier: Audience, later: Audience, region: str | None) -> bool:
    """Tell whether an audience gets all that a later one would from a region's clusters."""
    if earlier.region not in {None, region}:
        return False
    return earlier.header is None or (later.header is not None and earlier.header.covers(later.header))
