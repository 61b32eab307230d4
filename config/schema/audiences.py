"""Section `audiences[]`: requests that get one version, regardless of the weight."""

from collections.abc import Collection, Mapping, Sequence
from typing import Self

import re2
from pydantic import model_validator

from config.base import NAMESPACE, Section
from config.schema.coverage import Condition, Coverage, Patterns
from config.schema.locality import check_region
from config.schema.version import Version
from config.types import DnsLabel, HeaderName, HeaderPrefix, HeaderRegex, HeaderValue, Place
from errors import show


class Header(Section):
    """A condition for a header of a request."""

    name: HeaderName
    """The name of the header."""
    exact: HeaderValue | None = None
    """The whole value of the header. Set exactly one of `exact`, `prefix` and `regex`."""
    prefix: HeaderPrefix | None = None
    """The start of the header's value."""
    regex: HeaderRegex | None = None
    """A regular expression in RE2 syntax for the whole value of the header."""

    @property
    def match(self) -> Mapping[str, str]:
        """The condition as Istio's StringMatch."""
        return self.model_dump(include={"exact", "prefix", "regex"}, exclude_none=True)

    @property
    def condition(self) -> Condition:
        """The condition as one value."""
        ((kind, text),) = self.match.items()
        return self.name, kind, text

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.match) != 1:
            got = " and ".join(self.match) or "none"
            raise ValueError(f"got {got} of exact, prefix and regex; allowed: exactly one of them")
        return self

    @property
    def example(self) -> str | None:
        """A value that matches; `None` for a regular expression."""
        return self.exact or (None if self.prefix is None else f"{self.prefix}0")

    def matches(self, value: str | None) -> bool:
        """Whether the header's value matches; `None` stands for a request without the header."""
        if value is None:
            return False
        if self.regex is not None:
            return re2.fullmatch(self.regex, value) is not None
        return value == self.exact or (self.prefix is not None and value.startswith(self.prefix))


class Audience(Section):
    """Requests that get one version, regardless of the weight."""

    name: DnsLabel
    """The name of the audience; unique in the list."""
    version: Version
    """The version for these requests; a cluster must run it."""
    header: Header | None = None
    """A condition for a header of the requests. If unset, `region` alone decides; set at least one of both."""
    region: Place | None = None
    """The region of the pods that send the requests, or of the ingress gateway that receives them. If unset, any."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.header is None and self.region is None:
            raise ValueError(
                "got neither header nor region; allowed: at least one of them. To shift all requests, use v2Weight"
            )
        return self

    def matches(self, headers: Mapping[str, str]) -> bool:
        """Whether the header condition matches; the headers' names are in lower case."""
        return self.header is None or self.header.matches(headers.get(self.header.name))


def check_audiences(
    audiences: Sequence[Audience],
    regions: Mapping[str, str | None],
    versions: Collection[Version],
    versions_away: Collection[Version],
) -> None:
    """
    Refuse audiences that are inconsistent with each other, with the clusters' regions or with the running versions.

    Args:
        audiences: The audiences in order; the first that matches decides.
        regions: Region by cluster name.
        versions: The versions that at least one cluster runs that is not away.
        versions_away: The versions that only clusters run that are away.

    Raises:
        ValueError: An audience is refused. The message starts with the full config key.
    """
    seen: dict[str, int] = {}
    known = tuple(dict.fromkeys(filter(None, regions.values())))
    conditions = [audience.header.condition if audience.header else None for audience in audiences]
    patterns = Patterns(conditions)
    earlier = {region: Coverage(patterns) for region in regions.values()}
    for index, audience in enumerate(audiences):
        place = f"{NAMESPACE}:audiences[{index}]"
        if audience.name in seen:
            raise ValueError(
                f"{place}.name: got {show(audience.name)}, which audiences[{seen[audience.name]}] has too; "
                f"allowed: a unique name"
            )
        seen[audience.name] = index
        if audience.version in versions_away:
            raise ValueError(
                f"{place}.version: got '{audience.version}', and all clusters that run it are away; allowed: "
                f"{', '.join(sorted(versions))}. Change the version, or remove the audience until they are back"
            )
        if audience.version not in versions:
            raise ValueError(
                f"{place}.version: got '{audience.version}', which no cluster runs; allowed: a version that runs. "
                f"Add {audience.version} to clusters[].versions, or change the version"
            )
        if audience.region is not None:
            check_region(f"{place}.region", audience.region, known)
        concerned = [coverage for region, coverage in earlier.items() if audience.region in {None, region}]
        hiding = [coverage.find(conditions[index]) for coverage in concerned]
        hidden_by = {each for each in hiding if each is not None}
        if None not in hiding:
            raise ValueError(
                f"{place}: {show(audience.name)} never matches, since "
                f"{' and '.join(f'audiences[{each}]' for each in sorted(hidden_by))} before it always match; "
                f"allowed: the narrower audience first"
            )
        for coverage in concerned:
            coverage.add(index, conditions[index])
