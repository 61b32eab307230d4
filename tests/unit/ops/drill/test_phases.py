"""The phase of each request, and the time at which the configured split is back."""

import pytest

from ops.drill.answers import Answer
from ops.drill.phases import Course, Moments, Split
from ops.drill.report import Phase
from ops.traffic.source import TrafficSource

MOMENTS = Moments(starts={Phase.HEALTHY: 100, Phase.AWAY: 120, Phase.BACK: 150})
ALL_V1 = Split(v2_weight=0, rate=2)
"""Ten consecutive good answers of v1 show this split."""


def good(began: float, version: str = "v1", instance: str = "there") -> Answer:
    """Return a request that was answered at once."""
    return Answer(began=began, ended=began + 0.01, version=version, instance=instance)


def bad(began: float, seconds: float = 0.01) -> Answer:
    """Return a request that failed."""
    return Answer(began=began, ended=began + seconds, error="HTTP 503")


def course(bound_seconds: float | None = 3) -> Course:
    """Return a scenario in which pod `here` is taken down."""
    judged_from = None if bound_seconds is None else MOMENTS.cut + bound_seconds
    return Course(moments=MOMENTS, split=ALL_V1, instances={"here"}, judged_from=judged_from)


@pytest.mark.parametrize(
    ("answer", "phase"),
    [
        (good(119.9), Phase.HEALTHY),
        (bad(119.9, seconds=5), Phase.AWAY),
        (bad(120.0), Phase.AWAY),
        (bad(149.9, seconds=5), Phase.AWAY),
        (good(150.0), Phase.BACK),
    ],
    ids=["before", "under way at the cut", "at the cut", "under way at the restore", "after"],
)
def test_a_request_is_of_the_phase_that_decides_over_it(answer: Answer, phase: Phase) -> None:
    """The cut can make a request in flight fail; a restore does not make one succeed."""
    assert MOMENTS.phase(answer) is phase


def test_a_split_is_back_with_the_first_of_enough_good_answers_in_a_row() -> None:
    """The requests count in the order of their start, whatever the order of their answers."""
    answers = [good(150), bad(151), *(good(152 + number / 2) for number in range(10))]
    assert ALL_V1.window == 10
    assert ALL_V1.returned(list(reversed(answers)), since=150) == 2
    assert ALL_V1.returned(answers[:-1], since=150) is None
    assert ALL_V1.returned(answers, since=154) is None


def test_a_split_that_is_not_as_configured_is_not_back() -> None:
    """This holds even if every request is answered."""
    half = Split(v2_weight=50, rate=2)
    one_version = [good(150 + number) for number in range(40)]
    both = [good(190 + number, "v1" if number % 2 else "v2") for number in range(half.window)]
    assert half.returned(one_version, since=150) is None
    assert half.returned([*one_version, *both], since=150) is not None


def test_a_split_is_not_back_before_what_was_away_answers() -> None:
    """Other pods may answer with the right shares, so a window may begin before the restored pods answer."""
    answers = [good(150 + number / 2, instance="here" if number >= 14 else "there") for number in range(30)]
    assert ALL_V1.returned(answers, since=150, served_by={"here"}) == 7
    assert ALL_V1.returned(answers[:14], since=150, served_by={"here"}) is None
    assert ALL_V1.returned(answers, since=150) == 0


def test_a_cluster_that_answered_next_to_nothing_need_not_answer_again() -> None:
    """A source that stays in its own locality never sent requests to it."""
    before = [good(100 + number / 2) for number in range(40)]
    after = [good(150 + number / 2) for number in range(20)]
    assert course().returned([*before, *after]) == 0
    served = [good(100 + number / 2, instance="here") for number in range(40)]
    assert course().returned([*served, *after]) is None


@pytest.mark.parametrize(
    ("answers", "detected", "late"),
    [
        ([], 0, 0),
        ([bad(121), bad(122.5)], 2.5, 0),
        ([bad(119, seconds=5)], 0, 0),
        ([bad(121), bad(123.5)], 3.5, 1),
        ([bad(110), bad(121), bad(155)], 1, 2),
    ],
    ids=["none", "within the bound", "under way at the cut", "beyond the bound", "while nothing is away"],
)
def test_failures_count_by_when_they_began(answers: list[Answer], detected: float, late: int) -> None:
    """Failures are allowed between the cut and the bound."""
    row = course().account("west", TrafficSource.INGRESS, answers, away=False)
    assert (row.detected_seconds, row.late) == (detected, late)


def test_a_source_that_is_away_itself_must_be_well_before_it_alone() -> None:
    """Its failures after the cut do not count as late, but the report contains them."""
    row = course().account("east", TrafficSource.INGRESS, [bad(110), bad(140), bad(151)], away=True)
    assert (row.detected_seconds, row.late) == (None, 1)
    assert [phase.failed for phase in row.phases] == [1, 1, 1]


def test_the_timeline_has_a_row_for_each_second_with_requests() -> None:
    """Seconds count from the cut."""
    answers = [good(118.5), good(118.9, "v2"), bad(120.2), good(120.9)]
    row = course().account("west", TrafficSource.INGRESS, answers, away=False)
    assert [(it.second, it.versions, it.failed) for it in row.timeline] == [
        (-2, {"v1": 1, "v2": 1}, 0),
        (0, {"v1": 1}, 1),
    ]
