"""The split and its bound."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.split import Tally, bound, holds, parse_curl

WEIGHTS = st.integers(0, 100)
REQUESTS = st.integers(100, 5000)


def tally(v1: int, v2: int, requests: int | None = None) -> Tally:
    """So many answers of each version."""
    made = Tally(v1 + v2 if requests is None else requests)
    made.versions.update(v1=v1, v2=v2)
    return made


def false_alarms(weight: int, requests: int) -> float:
    """How often a fair split of `requests` is refused: the binomial's own probabilities, added up."""
    p = weight / 100
    total = 0.0
    for v2 in range(requests + 1):
        if not holds(tally(requests - v2, v2), weight):
            choices = math.lgamma(requests + 1) - math.lgamma(v2 + 1) - math.lgamma(requests - v2 + 1)
            total += math.exp(choices + v2 * math.log(p) + (requests - v2) * math.log(1 - p))
    return total


@pytest.mark.parametrize(("weight", "points"), [(50, 5.2), (10, 3.1), (90, 3.1), (0, 0.0), (100, 0.0)])
def test_the_bound_at_a_thousand_requests_is_the_stated_one(weight: int, points: float) -> None:
    """3.29 sigma: 5.2 points at 50 %, 3.1 at 10 %, none at the ends."""
    assert round(100 * bound(weight, 1000), 1) == points


@pytest.mark.parametrize("weight", [1, 2, 5, 10, 33, 50, 90, 99])
def test_a_fair_split_is_refused_less_than_once_in_three_hundred_runs(weight: int) -> None:
    """The bound is wide enough for the binomial itself, its skewed ends included."""
    assert false_alarms(weight, 1000) < 1 / 300


@pytest.mark.parametrize(("weight", "real"), [(10, 20), (50, 60), (0, 1), (100, 99)])
def test_a_wrong_weight_is_seen(weight: int, real: int) -> None:
    """Ten points off at a thousand requests, and one point off at the ends, are refused."""
    assert not holds(tally(1000 - 10 * real, 10 * real), weight)


@given(WEIGHTS, REQUESTS)
def test_the_nearest_split_always_holds(weight: int, requests: int) -> None:
    """What a weight asks for, rounded to whole requests, is never refused where the bound has room."""
    v2 = round(requests * weight / 100)
    if weight in {0, 100} or bound(weight, requests) * requests >= 0.5:
        assert holds(tally(requests - v2, v2), weight)


@given(WEIGHTS, st.data())
def test_the_judgement_is_the_same_seen_from_either_version(weight: int, data: st.DataObject) -> None:
    """Swapping the versions and the weight changes nothing."""
    v1, v2 = data.draw(st.integers(0, 2000)), data.draw(st.integers(1, 2000))
    assert holds(tally(v1, v2), weight) == holds(tally(v2, v1), 100 - weight)


@given(WEIGHTS, st.integers(0, 1000), st.integers(1, 10))
def test_one_failed_request_is_one_too_many(weight: int, v2: int, failed: int) -> None:
    """However good the split, a request without an answer fails it."""
    assert not holds(tally(1000 - v2, v2, requests=1000 + failed), weight)


@pytest.mark.parametrize(("weight", "v1", "v2"), [(0, 999, 1), (100, 1, 999)])
def test_the_ends_are_exact(weight: int, v1: int, v2: int) -> None:
    """At 0 and 100 a single answer of the other version is refused."""
    assert not holds(tally(v1, v2), weight)
    assert holds(tally(1000 * (weight == 0), 1000 * (weight == 100)), weight)


def test_curls_output_is_counted_by_version_instance_and_error() -> None:
    """Good answers, refusals, silence and strange bodies are told apart, in whatever order curl prints them."""
    output = (
        "Hello version: v1, instance: helloworld-v1-5f\n"
        "Hello version: v2, instance: helloworld-v2-7c\n#200\n#503\n#200\n"
        "#000\n"
        "<html>#200\n"
    )
    counted = parse_curl(output, requests=5)
    assert counted.versions == {"v1": 1, "v2": 1}
    assert counted.instances == {"helloworld-v1-5f": 1, "helloworld-v2-7c": 1}
    assert counted.errors == {"HTTP 503": 1, "no answer": 1, "unknown answer": 1}
    assert counted.failed == 3


def test_an_answer_without_a_line_break_is_counted() -> None:
    """An image of the user's own may print none."""
    counted = parse_curl("Hello version: v1, instance: a#200\nHello version: v1, instance: b#200\n", requests=2)
    assert counted.instances == {"a": 1, "b": 1}
    assert counted.failed == 0


def test_requests_that_curl_had_no_time_for_have_failed() -> None:
    """An output that was cut in the middle of a line counts only what was finished."""
    cut = parse_curl("Hello version: v1, instance: a\n#200\nHello version: v1, inst", requests=10)
    assert cut.failed == 9
    assert cut.errors == {"not finished in time": 9}


@given(st.text(), st.integers(1, 50))
def test_no_output_can_make_more_answers_than_requests_look_good(text: str, requests: int) -> None:
    """Whatever curl prints, failed and good answers add up."""
    counted = parse_curl(text, requests)
    assert counted.failed + counted.versions["v1"] + counted.versions["v2"] == requests


def test_shares_of_nothing_are_zero() -> None:
    """No good answer, no share."""
    assert Tally(100).share("v2") == 0.0
