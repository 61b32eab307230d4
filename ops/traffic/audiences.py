"""What a request of an audience carries, and which share of v2 a request is to meet. Pure."""

from collections.abc import Iterator, Mapping

from config.schema import Settings

USER_AGENT = "mcsps-verify"
EVERYBODY = ""
"""In the place of an audience's name."""
REQUESTS = 100
"""In each curl loop of an audience, which gets one version alone."""


def tried(settings: Settings, cluster: str) -> Iterator[str]:
    """Name the audiences by a header that a cluster's requests can be of; for a regular expression none is made up."""
    for audience in settings.audiences:
        if audience.header and audience.header.example and settings.is_within(cluster, audience.region):
            yield audience.name


def headers(settings: Settings, audience: str) -> Mapping[str, str]:
    """What a request carries, whoever makes it: curl and httpx have user agents of their own."""
    found = next((each.header for each in settings.audiences if each.name == audience and each.header), None)
    own = {found.name: found.example} if found and found.example else {}
    return {"user-agent": USER_AGENT, "accept": "*/*", **own}


def wanted(settings: Settings, cluster: str, audience: str = EVERYBODY) -> int:
    """Percent of v2 among the answers to an audience's requests from a cluster."""
    return settings.v2_weight_for(cluster, headers(settings, audience))
