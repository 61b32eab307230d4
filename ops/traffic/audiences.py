"""What a request of an audience carries, and which share of v2 it must get."""

from collections.abc import Iterator, Mapping

from config.schema import Settings

USER_AGENT = "mcsps-verify"
EVERYONE = ""
"""In place of an audience's name: requests of no audience."""
REQUESTS = 100
"""Requests in each loop of an audience; an audience gets one version alone."""


def tried(settings: Settings, cluster: str) -> Iterator[str]:
    """Yield the audiences of a cluster with a header that can be sent; a regular expression has no example."""
    for audience in settings.audiences:
        if audience.header and audience.header.example and settings.is_within(cluster, audience.region):
            yield audience.name


def headers(settings: Settings, audience: str) -> Mapping[str, str]:
    """Return what a request carries, the same from curl and httpx, which have user agents of their own."""
    found = next((each.header for each in settings.audiences if each.name == audience and each.header), None)
    own = {found.name: found.example} if found and found.example else {}
    return {"user-agent": USER_AGENT, "accept": "*/*", **own}


def wanted(settings: Settings, cluster: str, audience: str = EVERYONE) -> int:
    """Return the percentage of v2 among the answers to an audience's requests from a cluster."""
    return settings.v2_weight_for(cluster, headers(settings, audience))
