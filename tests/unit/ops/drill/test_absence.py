"""One `up` takes a failed cluster out of the mesh, and another `up` brings it back."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from errors import UserError
from ops.drill.absence import GRACE_SECONDS, Absence
from ops.drill.bound import Detection
from ops.drill.phases import Course, Moments, Split
from ops.drill.report import Phase, ScenarioRow, SourceRow
from ops.drill.scenario import FailureMode, Scenario, ScenarioKind, Target, select
from ops.traffic.source import TrafficSource
from tests.support.drilled import CONFIG, DRILLED, STAYING, Cut, World, absence, conductor

PHASES = list(Phase)
DEAD_NODE = Scenario(target=Target.NODE, failure_mode=FailureMode.BLACKHOLE)
NEVER_DETECTED = 10_000.0
WHAT_REMAINS = (
    f"the mesh is not deployed as the stack's file says: {DRILLED} may still be away; run: deploy --stack lab"
)


def conduct(world: World, detection: Detection | None = None, said: list[str] | None = None) -> ScenarioRow:
    """Run one scenario, by default in a mesh without its own failover."""
    (row,) = conductor(world, detection, said, absence(world)).conduct([DEAD_NODE])
    return row


def sources(row: ScenarioRow, cluster: str) -> list[SourceRow]:
    """Return the sources in a cluster."""
    return [it for it in row.sources if it.cluster == cluster]


def test_an_up_ends_the_failures_of_a_mesh_that_does_not_fail_over() -> None:
    """No request fails after the grace, and the second `up` restores the configured split."""
    world = World(detection_seconds=NEVER_DETECTED)
    row = conduct(world)
    assert row.ok
    assert row.kind is ScenarioKind.AWAY
    assert list(row.starts) == PHASES
    assert (row.bound_seconds, row.grace_seconds) == (None, GRACE_SECONDS)
    for stays in sources(row, STAYING):
        _, dead, away, back, restored = stays.phases
        assert dead.failed > 100
        assert dead.failing_seconds == pytest.approx(20 + world.up_seconds, abs=0.3)
        assert away.failed == pytest.approx(5, abs=1)
        assert away.failing_seconds == pytest.approx(world.push_seconds, abs=0.3)
        assert (away.requests, away.drilled_share) == (10 * (20 + GRACE_SECONDS), 0)
        assert (back.failed, back.drilled_share, restored.failed) == (0, 0, 0)
        assert restored.drilled_share > 0
        assert (stays.late, stays.returned_seconds) == (0, 0)
    assert row.lost == {
        phase: sum(stays.phases[index].failed for stays in sources(row, STAYING)) for index, phase in enumerate(PHASES)
    }


def test_the_first_up_has_the_cluster_away_and_the_second_one_nothing_but_the_file() -> None:
    """All other settings of the clusters come from the stack's file."""
    world = World()
    conduct(world)
    east, west = CONFIG["clusters"]
    assert world.ups == [{"clusters": [{**east, "away": True}, west]}, {}]


def test_each_phase_lasts_long_enough_to_show_something() -> None:
    """Phase away is longer by the grace. The second `up` waits until the cluster's API answers."""
    world = World(api_seconds=40)
    row = conduct(world)
    starts = [row.starts[phase] for phase in PHASES]
    healthy, dead, away, back = (later - start for start, later in pairwise(starts))
    assert (healthy, dead, away) == pytest.approx((20, 20 + world.up_seconds, 20 + GRACE_SECONDS))
    assert back == pytest.approx(40 + world.up_seconds, abs=2)
    assert row.away_seconds == pytest.approx(dead + away)


def test_requests_that_fail_later_than_the_grace_after_the_up_fail_the_drill() -> None:
    """Failures within the grace are allowed."""
    late = conduct(World(detection_seconds=NEVER_DETECTED, push_seconds=GRACE_SECONDS + 4))
    assert not late.ok
    assert [it.late for it in sources(late, STAYING)] == pytest.approx([20, 20], abs=2)
    assert [it.late for it in sources(late, DRILLED)] == [0, 0]
    assert conduct(World(detection_seconds=NEVER_DETECTED, push_seconds=GRACE_SECONDS - 1)).ok


def test_requests_that_start_in_the_dead_cluster_do_not_count_while_it_is_dead() -> None:
    """The report contains their failures, and the split must return for them as well."""
    row = conduct(World())
    for away in sources(row, DRILLED):
        assert (away.away, away.late, away.ok) == (True, 0, True)
        assert away.phases[1].failed == away.phases[1].requests > 0
        assert away.phases[2].failed == away.phases[2].requests > 0
    assert row.lost[Phase.AWAY] == 0


@pytest.mark.parametrize(
    ("began", "late"),
    [(109, 1), (139, 0), (150, 0), (151, 1), (169, 1), (171, 0), (195, 0)],
    ids=["before the cut", "dead", "in the grace", "after it", "just before the restore", "back", "restored"],
)
def test_only_what_the_up_answers_for_is_judged(began: float, late: int) -> None:
    """A failure before the cut counts, because the mesh was not healthy."""
    starts = dict(zip(PHASES, (100.0, 120.0, 140.0, 170.0, 190.0), strict=True))
    judged = Course(
        moments=Moments(starts=starts),
        split=Split(v2_weight=0, rate=2),
        instances=set(),
        judged_from=140 + 10,
        judged_until=170,
    )
    failed = replace(World().answer(0, began), version="", ended=began + 0.1)
    assert judged.account(STAYING, TrafficSource.CLIENT, [failed], away=False).late == late


def test_requests_that_the_return_loses_are_reported_and_not_judged() -> None:
    """The second `up` sends requests to the cluster three seconds before it can serve them."""
    world = World()

    def too_early() -> None:
        if world.ups:
            world.moves[-1] = replace(world.moves[-1], restored=world.at)
            world.cuts.append(Cut(cut=world.at, restored=world.at + 3))
            world.scenarios.append(Scenario(target=Target.HELLOWORLD, failure_mode=FailureMode.BLACKHOLE))

    world.during_up = too_early
    row = conduct(world)
    assert row.lost[Phase.BACK] == pytest.approx(2 * 15, abs=3)
    assert [it.late for it in row.sources] == [0, 0, 0, 0]
    assert row.ok


def test_a_split_that_does_not_come_back_after_the_second_up_fails_the_drill() -> None:
    """This holds even if no request fails."""
    row = conduct(World(return_seconds=NEVER_DETECTED, detection_seconds=0))
    assert row.lost == dict.fromkeys(PHASES, 0)
    assert {it.returned_seconds for it in row.sources} == {None}
    assert not row.ok


def interrupt() -> None:
    """Interrupt the drill as Ctrl-C does."""
    raise KeyboardInterrupt


def fail() -> None:
    """Fail, as an `up` does."""
    raise UserError("`up` failed with exit code 255", "Read its output above")


@pytest.mark.parametrize("ending", [interrupt, fail])
@pytest.mark.parametrize("number", [0, 1])
def test_an_up_that_does_not_end_well_leaves_the_cluster_up_and_says_what_remains(
    ending: Callable[[], None], number: int
) -> None:
    """The message contains the user's command that deploys the stack as its file says."""
    world, said = World(), list[str]()
    world.during_up = lambda: ending() if len(world.ups) == number else None
    with pytest.raises((KeyboardInterrupt, UserError)):
        conduct(world, said=said)
    (cut,) = world.cuts
    assert cut.restored <= world.at
    assert said[-1] == WHAT_REMAINS


@pytest.mark.parametrize(
    ("number", "remains"),
    [(0, False), (1, False), (2, True), (3, True)],
    ids=["healthy", "dead", "away", "back"],
)
def test_an_interrupt_in_any_phase_leaves_the_cluster_up_and_says_what_remains(
    number: int,
    remains: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Before the first `up` the user has nothing to repair."""
    world, said, waits = World(), list[str](), iter(range(10))

    def wait(seconds: float) -> None:
        world.wait(seconds)
        if next(waits) == number:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(replace(conductor(world, said=said, moved_by=absence(world)), wait=wait).conduct([DEAD_NODE]))
    assert all(cut.restored <= world.at for cut in world.cuts)
    assert (WHAT_REMAINS in said) is remains


def test_a_cluster_that_does_not_answer_again_is_not_deployed() -> None:
    """Its `up` would fail. The message contains the command that the user must run later."""
    world, said = World(api_seconds=NEVER_DETECTED), list[str]()
    with pytest.raises(UserError, match="east was restored, and its API does not answer within 60 s"):
        conduct(world, said=said)
    assert len(world.ups) == 1
    assert said[-1] == WHAT_REMAINS


def test_it_takes_no_longer_than_it_says() -> None:
    """The limit also holds if the split never returns."""
    world = World(return_seconds=NEVER_DETECTED, api_seconds=60, up_seconds=120)
    conducting, began = conductor(world, moved_by=absence(world)), world.at
    scenarios = select(ScenarioKind.AWAY, None, None)
    conducting.settle()
    list(conducting.conduct(scenarios))
    assert world.at - began <= conducting.longest_seconds(scenarios) + 3 * len(scenarios) * 2


def test_scenario_away_takes_the_whole_cluster_down() -> None:
    """It runs in each failure mode, unless the user names one. A part of the cluster is refused."""
    assert select(ScenarioKind.AWAY, None, None) == [
        Scenario(target=Target.NODE, failure_mode=mode) for mode in FailureMode
    ]
    assert select(ScenarioKind.AWAY, [Target.NODE], [FailureMode.BLACKHOLE]) == [DEAD_NODE]
    with pytest.raises(UserError, match="--target gateways is a part of a cluster, and --scenario away takes all of"):
        select(ScenarioKind.AWAY, [Target.NODE, Target.GATEWAYS], None)


def test_a_stack_that_cannot_do_without_the_cluster_is_refused() -> None:
    """The error comes before the cut, and contains the key that is the reason."""
    with pytest.raises(UserError, match="no `up` can move the traffic off east, because with east away ") as error:
        Absence.of(DRILLED, {**CONFIG, "v2Weight": 100, "clusters": _v2_in_east()}, World())
    assert "mcsps:v2Weight: got 100, but all clusters that run v2 are away" in error.value.message


def _v2_in_east() -> list[dict[str, object]]:
    east, west = CONFIG["clusters"]
    return [east, {**west, "versions": ["v1"]}]
