"""Real requests show which version each audience gets, and which cluster answers."""

import pytest

from lab.engines import Engine
from ops.traffic.source import TrafficSource
from ops.verify.report import Report, Traffic
from tests.e2e.checkout import Checkout

pytestmark = pytest.mark.e2e

REGIONS = {"east": "eu", "west": "us"}
TEAM = {"name": "team", "version": "v2", "header": {"name": "x-team", "prefix": "t"}}
STEADY = {"name": "steady", "version": "v1", "header": {"name": "x-steady", "exact": "yes"}}
AMERICA = {"name": "america", "version": "v2", "region": "us"}


@pytest.fixture(scope="module")
def report(checkout: Checkout, engine: Engine) -> Report:
    """Return the report on two regions that run both versions, with an audience for a team and one for a region."""
    clusters = [
        {**cluster, "versions": ["v1", "v2"], "locality": {"region": REGIONS[cluster["name"]]}}
        for cluster in checkout.config("clusters")
    ]
    checkout.configure(clusters=clusters, v2Weight=0, audiences=[TEAM, STEADY, AMERICA])
    checkout.deploy("up", engine).must_succeed()
    return checkout.verify()


def rows(report: Report, cluster: str, audience: str) -> list[Traffic]:
    """Return the results of an audience in a cluster, through its ingress and from its client pod."""
    found = [row for row in report.traffic if (row.cluster, row.audience) == (cluster, audience)]
    assert {row.source for row in found} == set(TrafficSource)
    return found


def test_all_holds_with_audiences_and_failover(report: Report) -> None:
    """Every check passes, including the consistency check and every traffic check."""
    assert report.ok, [check for check in report.checks if not check.ok]


@pytest.mark.parametrize("cluster", REGIONS)
def test_a_header_gets_its_version_in_every_request(report: Report, cluster: str) -> None:
    """The header has precedence over the region and the weight, at both ingresses and in the pods of both clusters."""
    assert [(row.v1, row.v2) for row in rows(report, cluster, "team")] == [(0, 100)] * 2
    assert [(row.v1, row.v2) for row in rows(report, cluster, "steady")] == [(100, 0)] * 2


def test_a_region_gets_its_version_at_its_ingress_and_in_its_pods(report: Report) -> None:
    """Requests in the other region follow the weight."""
    assert [(row.v1, row.v2) for row in rows(report, "west", "")] == [(0, report.requests)] * 2
    assert [(row.v1, row.v2) for row in rows(report, "east", "")] == [(report.requests, 0)] * 2


@pytest.mark.parametrize("cluster", REGIONS)
def test_the_own_cluster_answers_while_it_lives(report: Report, cluster: str) -> None:
    """The cluster's only pod of the version answers, although the peer has one as well."""
    assert [row.instances for row in rows(report, cluster, "")] == [1, 1]
