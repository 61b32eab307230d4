"""The timeline of a drill, in a mesh whose clock advances only during waits."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from errors import UserError
from ops.drill.bound import Detection
from ops.drill.phases import Split
from ops.drill.report import Phase, ScenarioRow, SourceRow
from ops.drill.scenario import FailureMode, Scenario, Target
from ops.traffic.source import TrafficSource
from tests.support.drilled import DETECTION, DRILLED, STAYING, World, conductor

BLACKHOLED_NODE = Scenario(target=Target.NODE, failure_mode=FailureMode.BLACKHOLE)
SCENARIOS = [Scenario(target=target, failure_mode=failure_mode) for target in Target for failure_mode in FailureMode]


def conduct(world: World, scenario: Scenario = BLACKHOLED_NODE, detection: Detection | None = DETECTION) -> ScenarioRow:
    """Run one scenario."""
    (row,) = conductor(world, detection).conduct([scenario])
    return row


def source(row: ScenarioRow, cluster: str, kind: TrafficSource) -> SourceRow:
    """Return one source of a scenario."""
    (found,) = (it for it in row.sources if (it.cluster, it.kind) == (cluster, kind))
    return found


def test_a_mesh_that_fails_over_within_its_bound_and_comes_back_is_ok() -> None:
    """Each source has the same result: detected after three seconds, back after four."""
    row = conduct(World())
    assert row.ok
    assert row.bound_seconds == pytest.approx(0.5 * (1 + 3.29) + 1 + 1)
    stays = source(row, STAYING, TrafficSource.CLIENT)
    assert stays.detected_seconds == pytest.approx(2.8, abs=0.25)
    assert stays.returned_seconds == pytest.approx(4, abs=0.25)
    assert (stays.late, stays.away) == (0, False)
    healthy, away, back = stays.phases
    assert [healthy.phase, away.phase, back.phase] == [Phase.HEALTHY, Phase.AWAY, Phase.BACK]
    assert (healthy.failed, back.failed) == (0, 0)
    assert away.errors == {"no answer": away.failed}
    assert away.failed == pytest.approx(15, abs=1)
    assert healthy.drilled_share == pytest.approx(0.5, abs=0.05)
    assert away.drilled_share == 0
    assert back.drilled_share > 0
    assert healthy.shares == pytest.approx({"v1": 0.9, "v2": 0.1}, abs=0.02)
    assert (healthy.slowest_seconds, away.slowest_seconds) == pytest.approx((0.01, 5))


def test_away_is_longer_than_the_bound_by_as_much_as_a_phase_lasts() -> None:
    """A shorter phase would not show that requests stopped failing."""
    row = conduct(World())
    assert row.bound_seconds is not None
    assert row.away_seconds == pytest.approx(20 + row.bound_seconds)


def test_requests_at_what_is_away_itself_are_told_apart() -> None:
    """These requests must fail during the phase, and succeed again after it."""
    row = conduct(World())
    ingress = source(row, DRILLED, TrafficSource.INGRESS)
    assert ingress.phases[1].failed == ingress.phases[1].requests > 0
    assert (ingress.away, ingress.detected_seconds, ingress.late, ingress.ok) == (True, None, 0, True)
    assert source(row, DRILLED, TrafficSource.CLIENT).away
    without_helloworld = conduct(World(), Scenario(target=Target.HELLOWORLD, failure_mode=FailureMode.BLACKHOLE))
    assert not any(it.away for it in without_helloworld.sources)
    without_gateways = conduct(World(), Scenario(target=Target.GATEWAYS, failure_mode=FailureMode.BLACKHOLE))
    assert [(it.cluster, it.kind) for it in without_gateways.sources if it.away] == [(DRILLED, TrafficSource.INGRESS)]


def test_requests_that_fail_beyond_the_bound_fail_the_drill() -> None:
    """The report contains their number."""
    row = conduct(World(detection_seconds=10))
    assert not row.ok
    assert source(row, STAYING, TrafficSource.INGRESS).late == pytest.approx((10 - 4.1) * 5, abs=2)
    assert source(row, DRILLED, TrafficSource.INGRESS).ok


def test_without_a_bound_failures_are_told_and_not_judged() -> None:
    """The split must still return."""
    row = conduct(World(detection_seconds=30), detection=None)
    assert row.ok
    assert row.bound_seconds is None
    stays = source(row, STAYING, TrafficSource.INGRESS)
    assert stays.late is None
    assert stays.phases[1].failed > 90
    assert not conduct(World(return_seconds=1000), detection=None).ok


def test_a_cluster_that_is_not_used_again_has_not_come_back() -> None:
    """This holds although the other cluster answers with the configured shares."""
    said: list[str] = []
    world = World(return_seconds=1000)
    (row,) = conductor(world, said=said).conduct([BLACKHOLED_NODE])
    assert not row.ok
    assert {it.returned_seconds for it in row.sources} == {None}
    assert "not back within 60 s: east ingress, east client, west ingress, west client" in said


def test_a_source_that_cannot_be_asked_has_not_come_back() -> None:
    """The report contains it without requests."""
    world = World()

    def lost(seconds: float) -> None:
        world.at += seconds
        if world.cuts:
            world.mute = {STAYING}

    conducting = conductor(world)
    (row,) = replace(conducting, wait=lost).conduct([BLACKHOLED_NODE])
    assert [it.cluster for it in row.sources if not it.ok] == [STAYING, STAYING]
    assert {phase.requests for phase in source(row, STAYING, TrafficSource.CLIENT).phases} == {0}


def test_what_may_not_have_ended_yet_is_not_summed_up() -> None:
    """The last seconds have no answers yet for the requests that will fail."""
    world = World()
    row = conduct(world)
    (cut,) = world.cuts
    assert {it.timeline[-1].second for it in row.sources} == {int(world.at - 11 - cut.cut)}


def test_each_scenario_begins_when_the_one_before_has_come_back() -> None:
    """The scenarios run one after the other, and all of them pass."""
    world = World()
    rows = list(conductor(world).conduct(SCENARIOS))
    assert world.scenarios == SCENARIOS
    assert all(row.ok for row in rows), [it for row in rows for it in row.sources if not it.ok]
    assert all(phase.failed == 0 for row in rows for it in row.sources for phase in it.phases[::2])


def test_it_takes_no_longer_than_it_says() -> None:
    """The limit also holds if the split never returns."""
    world = World(return_seconds=10_000)
    conducting, began = conductor(world), world.at
    conducting.settle()
    list(conducting.conduct(SCENARIOS))
    assert world.at - began <= conducting.longest_seconds(SCENARIOS) + len(SCENARIOS) * 2


def test_a_mesh_whose_split_is_wrong_is_not_drilled() -> None:
    """The drill could not take down a part that is already down."""
    world = World()
    world.v2_weight = 50
    wrong = replace(conductor(world), splits=dict.fromkeys(("east", "west"), Split(v2_weight=10, rate=10)))
    with pytest.raises(UserError, match="the split is not as configured before the drill: east ingress"):
        wrong.settle()
    assert world.scenarios == []


def test_the_split_that_is_waited_for_is_that_of_the_cluster_where_requests_enter() -> None:
    """An audience may belong to a region, and then all of its requests get one version."""
    world = World()
    other = replace(conductor(world), splits={**conductor(world).splits, STAYING: Split(v2_weight=100, rate=10)})
    with pytest.raises(UserError, match=f"is not as configured before the drill: {STAYING} ingress, {STAYING} client"):
        other.settle()


def test_a_mesh_that_is_well_is_drilled_as_soon_as_it_is_seen_to_be() -> None:
    """Requests of ten seconds are enough to show a weight of ten percent."""
    world = World()
    began = world.at
    conductor(world).settle()
    assert world.at - began < 25


def test_what_is_away_is_given_back_when_the_drill_is_interrupted() -> None:
    """The interrupt comes during the second wait."""
    world = World()
    waits: Iterator[int] = iter(range(2))

    def interrupted(seconds: float) -> None:
        world.at += seconds
        if next(waits) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(replace(conductor(world), wait=interrupted).conduct([BLACKHOLED_NODE]))
    (cut,) = world.cuts
    assert cut.restored == world.at
