"""The audiences for which verify sends requests, and the expected answers."""

from collections.abc import Mapping

import pytest

from config.parsing import parse
from config.schema import Settings
from ops.traffic import audiences
from tests.support.bad_config import put
from tests.support.stacks import load_values

TEAM = {"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}}
BETA = {"name": "beta", "version": "v2", "header": {"name": "x-team", "prefix": "beta-"}, "region": "us"}
ROBOTS = {"name": "robots", "version": "v1", "header": {"name": "user-agent", "regex": ".*[Bb]ot.*"}}
EUROPE = {"name": "europe", "version": "v1", "region": "eu"}
ANYBODY = {"name": "anybody", "version": "v2", "header": {"name": "accept", "regex": ".*"}}
OURSELVES = {"name": "ourselves", "version": "v2", "header": {"name": "user-agent", "prefix": "mcsps"}}


def settings(*wanted: Mapping[str, object]) -> Settings:
    """Return the lab's settings with east in region eu and west in region us."""
    values = load_values("lab")
    for index, region in enumerate(("eu", "us")):
        values = put(values, ("clusters", index, "locality"), {"region": region})
    return parse({**values, "audiences": wanted})


def test_audiences_by_header_are_tried_where_they_are() -> None:
    """An audience by region needs no request loop, and a regular expression has no test value."""
    stack = settings(TEAM, BETA, ROBOTS, EUROPE)
    assert list(audiences.tried(stack, "east")) == ["team"]
    assert list(audiences.tried(stack, "west")) == ["team", "beta"]


@pytest.mark.parametrize(
    ("audience", "carried"),
    [("", {}), ("team", {"x-team": "test"}), ("beta", {"x-team": "beta-0"}), ("robots", {}), ("europe", {})],
)
def test_a_request_carries_its_audiences_header(audience: str, carried: Mapping[str, str]) -> None:
    """The user agent is the same for every request, so that no other audience matches."""
    stack = settings(TEAM, BETA, ROBOTS, EUROPE)
    assert audiences.headers(stack, audience) == {"user-agent": "mcsps-verify", "accept": "*/*", **carried}


@pytest.mark.parametrize(
    ("cluster", "audience", "weight"),
    [("east", "", 0), ("west", "", 10), ("east", "team", 100), ("west", "team", 100), ("west", "beta", 100)],
)
def test_the_first_audience_of_a_request_decides(cluster: str, audience: str, weight: int) -> None:
    """The weight applies to a request without an audience."""
    assert audiences.wanted(settings(TEAM, BETA, ROBOTS, EUROPE), cluster, audience) == weight


@pytest.mark.parametrize("audience", [OURSELVES, ANYBODY], ids=lambda it: it["name"])
def test_an_audience_that_verify_itself_is_of_is_reckoned_with(audience: Mapping[str, object]) -> None:
    """Such an audience matches verify's user agent, or a header that every client sends."""
    assert audiences.wanted(settings(audience), "west") == 100
