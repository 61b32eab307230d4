"""The time that requests may fail after a cut, computed from the routing."""

from collections.abc import Mapping

import pytest

from config.parsing import parse
from config.schema import Settings
from errors import UserError
from ops.drill.bound import Detection, alone, gap_seconds, read_detection
from ops.drill.scenario import FailureMode
from tests.support.stacks import LAB, load_values

RULE = {
    "host": "helloworld.sample.svc.cluster.local",
    "trafficPolicy": {
        "connectionPool": {"tcp": {"connectTimeout": "500ms"}},
        "outlierDetection": {
            "consecutive5xxErrors": 3,
            "interval": "1s",
            "baseEjectionTime": "1m30s",
            "maxEjectionPercent": 100,
        },
    },
}


def test_a_rule_is_read_as_it_is_written() -> None:
    """Durations are in Istio's notation."""
    assert read_detection(RULE) == Detection(
        errors=3,
        interval_seconds=1,
        base_ejection_seconds=90,
        max_ejection_percent=100,
        connect_timeout_seconds=0.5,
        per_try_timeout_seconds=0,
    )


def test_what_a_rule_leaves_out_is_envoys_default() -> None:
    """The defaults are five errors, ten seconds, and at most ten percent of the endpoints."""
    assert read_detection({"trafficPolicy": {"outlierDetection": {}}}) == Detection(
        errors=5,
        interval_seconds=10,
        base_ejection_seconds=30,
        max_ejection_percent=10,
        connect_timeout_seconds=10,
        per_try_timeout_seconds=0,
    )


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {},
        {"trafficPolicy": {"connectionPool": {}}},
        {"trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 0}}},
    ],
    ids=["no rule", "no policy", "no outlier detection", "switched off"],
)
def test_without_outlier_detection_there_is_no_bound(spec: dict[str, object] | None) -> None:
    """No proxy then ever detects a failed endpoint."""
    assert read_detection(spec) is None


def test_gateway_errors_count_where_fewer_of_them_are_enough() -> None:
    """A refused connection and a timeout count as both kinds of error."""
    for five, gateway, errors in ((5, 2, 2), (0, 2, 2), (2, 5, 2)):
        outliers = {"consecutive5xxErrors": five, "consecutiveGatewayErrors": gateway}
        detection = read_detection({"trafficPolicy": {"outlierDetection": outliers}})
        assert detection is not None
        assert detection.errors == errors


def test_a_duration_that_cannot_be_read_is_named() -> None:
    """The error describes the supported notation."""
    with pytest.raises(UserError, match=r"^interval '1.5s' of the DestinationRule is not supported. Write it in"):
        read_detection({"trafficPolicy": {"outlierDetection": {"interval": "1.5s"}}})


def test_the_longest_time_that_a_route_gives_a_try_is_read() -> None:
    """It is the longest of all VirtualServices. A missing one and a route without retries have no limit."""
    routes = [{"retries": {"attempts": 2, "perTryTimeout": "3s"}}, {"retries": {"attempts": 0}}, {"route": []}]
    detection = read_detection(RULE, [{"http": routes}, {"http": routes[1:]}, {}, None])
    assert detection is not None
    assert detection.per_try_timeout_seconds == 3
    with pytest.raises(UserError, match=r"^perTryTimeout '1.5s' of the VirtualService is not supported. Write it in"):
        read_detection(RULE, [{"http": [{"retries": {"perTryTimeout": "1.5s"}}]}])


@pytest.mark.parametrize(("connect", "per_try", "silence"), [(2, 0, 2), (2, 5, 5), (5, 2, 5)])
def test_a_silent_death_costs_the_longer_timeout_more(connect: float, per_try: float, silence: float) -> None:
    """Four errors with a gap of 0.5 s take longer than 4 + 3.29 * 2 gaps once in a thousand times."""
    detection = Detection(
        errors=4,
        interval_seconds=1,
        base_ejection_seconds=30,
        max_ejection_percent=100,
        connect_timeout_seconds=connect,
        per_try_timeout_seconds=per_try,
    )
    assert detection.bound(FailureMode.RESET, 0.5) == pytest.approx(10.58 * 0.5 + 1)
    assert detection.bound(FailureMode.BLACKHOLE, 0.5) == pytest.approx(10.58 * 0.5 + 1 + silence)


@pytest.mark.parametrize(
    ("weight", "replicas", "gap"), [(0, 1, 0.2), (10, 1, 2.0), (50, 1, 0.4), (80, 1, 1.0), (50, 3, 1.2)]
)
def test_a_pod_of_the_rarest_version_takes_longest_to_be_found_out(weight: int, replicas: int, gap: float) -> None:
    """Two clusters run both versions, so each gets half of a version's requests. Unused versions do not count."""
    values = load_values(LAB)
    clusters = [{**cluster, "versions": ["v1", "v2"]} for cluster in values["clusters"]]
    helloworld = {**values["helloworld"], "replicas": replicas}
    chosen = parse({**values, "v2Weight": weight, "clusters": clusters, "helloworld": helloworld})
    assert gap_seconds(chosen, rate=10) == pytest.approx(gap)


def test_a_version_that_no_other_cluster_runs_is_told() -> None:
    """Its requests must fail while its cluster is away, whatever the bound."""
    values = load_values(LAB)
    east, west, *_ = values["clusters"]
    east, west = {**east, "versions": ["v1"]}, {**west, "versions": ["v1", "v2"]}
    chosen = parse({**values, "v2Weight": 10, "clusters": [east, west]})
    assert alone(chosen, "west") == {"v2": 10}
    assert alone(chosen, "east") == {}
    assert alone(parse({**values, "v2Weight": 0, "clusters": [east, west]}), "west") == {}


def in_two_regions(v2_weight: int, audience: Mapping[str, object]) -> Settings:
    """Return settings with v1 in east (region us), and both versions in west (region eu)."""
    values = load_values(LAB)
    east, west, *_ = values["clusters"]
    clusters = [
        {**east, "versions": ["v1"], "locality": {"region": "us"}},
        {**west, "versions": ["v1", "v2"], "locality": {"region": "eu"}},
    ]
    audiences = [{"name": "audience", "version": "v2", **audience}]
    return parse({**values, "v2Weight": v2_weight, "clusters": clusters, "audiences": audiences})


@pytest.mark.parametrize("v2_weight", [0, 10])
@pytest.mark.parametrize("region", ["us", "eu"])
def test_an_audiences_version_is_told_with_the_share_of_its_region(v2_weight: int, region: str) -> None:
    """The larger share counts, for any order of the clusters and any weight."""
    chosen = in_two_regions(v2_weight, {"region": region})
    assert alone(chosen, "west") == {"v2": 100}
    assert alone(chosen, "east") == {}


@pytest.mark.parametrize(
    ("audience", "gap"),
    [({"region": "eu"}, 10.0), ({"header": {"name": "user-agent", "prefix": "mcsps"}}, 0.1)],
    ids=["of one region", "of the drill itself"],
)
def test_an_audience_asks_for_its_version_as_often_as_there_are_requests(
    audience: Mapping[str, object], gap: float
) -> None:
    """A version counts although it is rare elsewhere. A version with no requests by weight does not count."""
    assert gap_seconds(in_two_regions(1, audience), rate=10) == pytest.approx(gap)
