"""Clusters that are away: the other clusters get the traffic."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.parsing import parse
from config.schema import Settings
from errors import UserError

VERSIONS = ("v1", "v2")


def settings(weight: int, *clusters: tuple[Sequence[str], bool]) -> Settings:
    """Return settings with clusters of these versions, each away or not."""
    entries = [
        {
            "name": f"c{index}",
            "network": f"n{index}",
            "access": {"kind": "kubeconfig", "path": f"/c{index}"},
            "versions": list(versions),
            "away": is_away,
        }
        for index, (versions, is_away) in enumerate(clusters)
    ]
    return parse({"mesh": {"id": "mesh"}, "clusters": entries, "v2Weight": weight})


def test_a_version_that_only_runs_away_gets_nothing() -> None:
    """The note contains the new weights and the configured ones."""
    found = settings(10, (["v1"], False), (["v2"], True))
    assert found.weights == {"v1": 100, "v2": 0}
    assert found.notes == (
        "c1 is away: nothing in it is read, changed or deleted",
        "v2 runs only there, so v1 gets 100 % of the requests instead of 90 %",
    )


def test_the_first_version_too_may_run_only_away() -> None:
    """The second version then gets all requests."""
    found = settings(10, (["v1"], True), (["v2"], False))
    assert found.weights == {"v1": 0, "v2": 100}
    assert found.notes[1] == "v1 runs only there, so v2 gets 100 % of the requests instead of 10 %"


def test_weights_stay_where_both_versions_still_run() -> None:
    """The note is only about the cluster."""
    found = settings(10, (VERSIONS, False), (["v2"], True))
    assert found.weights == {"v1": 90, "v2": 10}
    assert len(found.notes) == 1


def test_nothing_is_noted_of_clusters_that_are_all_there() -> None:
    """All clusters are present."""
    found = settings(10, (["v1"], False), (["v2"], False))
    assert found.notes == ()
    assert found.present == found.clusters


def test_what_verify_expects_follows_the_effective_weight() -> None:
    """Requests without an audience follow the effective weights."""
    assert settings(10, (["v1"], False), (["v2"], True)).v2_weight_for("c0", {}) == 0


@given(
    weight=st.integers(0, 100),
    clusters=st.lists(
        st.tuples(st.lists(st.sampled_from(VERSIONS), unique=True), st.booleans()), min_size=1, max_size=4
    ),
)
def test_no_version_gets_requests_that_runs_nowhere(weight: int, clusters: list[tuple[list[str], bool]]) -> None:
    """In each accepted config, the weights add up to 100, and each request has a destination."""
    try:
        found = settings(weight, *clusters)
    except UserError:
        return
    run = {version for versions, is_away in clusters if not is_away for version in versions}
    assert sum(found.weights.values()) == 100
    assert {version for version, percent in found.weights.items() if percent} <= run


@pytest.mark.parametrize(
    ("weight", "clusters", "expected"),
    [
        (
            100,
            [(["v1"], False), (["v2"], True)],
            "mcsps:v2Weight: got 100, but all clusters that run v2 are away; allowed: 0",
        ),
        (
            0,
            [(["v1"], True), (["v2"], False)],
            "mcsps:v2Weight: got 0, but all clusters that run v1 are away; allowed: 100",
        ),
        (
            10,
            [(VERSIONS, True), (VERSIONS, True)],
            "mcsps:clusters: all clusters that run helloworld are away; allowed: ",
        ),
        (10, [(VERSIONS, True), ([], False)], "mcsps:clusters: all clusters that run helloworld are away; allowed: "),
    ],
)
def test_traffic_that_nothing_left_can_serve_is_refused(
    weight: int, clusters: list[tuple[Sequence[str], bool]], expected: str
) -> None:
    """The user must make this decision."""
    with pytest.raises(UserError, match="away") as caught:
        settings(weight, *clusters)
    assert expected in str(caught.value)
