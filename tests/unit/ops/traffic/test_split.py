"""The expected split of requests, and the bound of its deviation."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.traffic.split import Tally, bound, enough, holds, parse_curl

WEIGHTS = st.integers(0, 100)
REQUESTS = st.integers(100, 5000)


def tally(v1: int, v2: int, requests: int | None = None) -> Tally:
    """Return a tally with these numbers of answers of each version."""
    made = Tally(v1 + v2 if requests is None else requests)
    made.versions.update(v1=v1, v2=v2)
    return made


def false_alarms(weight: int, requests: int) -> float:
    """Return the probability that a fair split of `requests` is rejected, from the binomial's probabilities."""
    p = weight / 100
    total = 0.0
    for v2 in range(requests + 1):
        if not holds(tally(requests - v2, v2), weight):
            choices = math.lgamma(requests + 1) - math.lgamma(v2 + 1) - math.lgamma(requests - v2 + 1)
            total += math.exp(choices + v2 * math.log(p) + (requests - v2) * math.log(1 - p))
    return total


@pytest.mark.parametrize(("weight", "points"), [(50, 5.2), (10, 3.1), (90, 3.1), (0, 0.0), (100, 0.0)])
def test_the_bound_at_a_thousand_requests_is_the_stated_one(weight: int, points: float) -> None:
    """The bound is 3.29 sigma: 5.2 points at 50 %, 3.1 at 10 %, none at 0 % and 100 %."""
    assert round(100 * bound(weight, 1000), 1) == points


@pytest.mark.parametrize("weight", [1, 2, 5, 10, 33, 50, 90, 99])
def test_a_fair_split_is_refused_less_than_once_in_three_hundred_runs(weight: int) -> None:
    """The bound is wide enough for the binomial distribution, including its skewed ends."""
    assert false_alarms(weight, 1000) < 1 / 300


@pytest.mark.parametrize(("weight", "real"), [(10, 20), (50, 60), (0, 1), (100, 99)])
def test_a_wrong_weight_is_seen(weight: int, real: int) -> None:
    """A deviation of ten points at a thousand requests fails, as does one point at 0 % and 100 %."""
    assert not holds(tally(1000 - 10 * real, 10 * real), weight)


@pytest.mark.parametrize(
    ("weight", "requests"), [(0, 1), (100, 1), (50, 11), (10, 98), (90, 98), (1, 1072), (99, 1072)]
)
def test_the_number_of_requests_that_shows_a_weight_is_the_stated_one(weight: int, requests: int) -> None:
    """A rarer version needs more requests. The default of a thousand is too few for 1 %."""
    assert enough(weight) == requests


@given(st.integers(1, 99), st.data())
def test_a_version_that_is_wanted_and_never_seen_is_no_fair_split(weight: int, data: st.DataObject) -> None:
    """This holds even if the bound would allow it for few requests."""
    requests = data.draw(st.integers(1, 2 * enough(weight)))
    assert not holds(tally(requests, 0), weight)
    assert not holds(tally(0, requests), weight)
    rarer = min(weight, 100 - weight) / 100
    assert (bound(weight, requests) < rarer) == (requests >= enough(weight))


@given(WEIGHTS, REQUESTS)
def test_the_nearest_split_always_holds(weight: int, requests: int) -> None:
    """With enough requests, a split that equals the weight after rounding always passes."""
    v2 = round(requests * weight / 100)
    if requests >= enough(weight):
        assert holds(tally(requests - v2, v2), weight)


@given(WEIGHTS, st.data())
def test_the_judgement_is_the_same_seen_from_either_version(weight: int, data: st.DataObject) -> None:
    """The result is the same if the versions and the weight are swapped."""
    v1, v2 = data.draw(st.integers(0, 2000)), data.draw(st.integers(1, 2000))
    assert holds(tally(v1, v2), weight) == holds(tally(v2, v1), 100 - weight)


@given(WEIGHTS, st.integers(0, 1000), st.integers(1, 10))
def test_one_failed_request_is_one_too_many(weight: int, v2: int, failed: int) -> None:
    """A request without an answer fails the split, whatever the shares."""
    assert not holds(tally(1000 - v2, v2, requests=1000 + failed), weight)


@pytest.mark.parametrize(("weight", "v1", "v2"), [(0, 999, 1), (100, 1, 999)])
def test_the_ends_are_exact(weight: int, v1: int, v2: int) -> None:
    """At 0 % and 100 %, one answer of the other version fails the split."""
    assert not holds(tally(v1, v2), weight)
    assert holds(tally(1000 * (weight == 0), 1000 * (weight == 100)), weight)


def test_curls_output_is_counted_by_version_instance_and_error() -> None:
    """Good answers, refusals, missing answers and unknown bodies count separately, in any order."""
    output = (
        "Hello version: v1, instance: helloworld-v1-5f\n"
        "Hello version: v2, instance: helloworld-v2-7c\n#200\n#503\n#200\n"
        "#000\n"
        "<html>#200\n"
    )
    counted = parse_curl(output, requests=5, cut_off_reason="")
    assert counted.versions == {"v1": 1, "v2": 1}
    assert counted.instances == {"helloworld-v1-5f": 1, "helloworld-v2-7c": 1}
    assert counted.errors == {"HTTP 503": 1, "no answer": 1, "unknown answer": 1}
    assert counted.failed == 3


def test_an_answer_without_a_line_break_is_counted() -> None:
    """A custom image may print no line break."""
    counted = parse_curl(
        "Hello version: v1, instance: a#200\nHello version: v1, instance: b#200\n", 2, cut_off_reason=""
    )
    assert counted.instances == {"a": 1, "b": 1}
    assert counted.failed == 0


def test_requests_that_were_not_heard_of_have_failed() -> None:
    """Only complete lines of a truncated output count. All other requests count as failed, with the reason."""
    cut = "Hello version: v1, instance: a\n#200\nHello version: v1, inst"
    assert parse_curl(cut, 10, cut_off_reason="not finished in time").errors == {"not finished in time": 9}
    assert parse_curl("", 10, cut_off_reason="").errors == {"nothing heard": 10}


LINES = {
    "Hello version: v1, instance: a\n": ("v1", None),
    "Hello version: v2, instance: b\n": ("v2", None),
    "#503\n": (None, "HTTP 503"),
    "#000\n": (None, "no answer"),
    "curl: (7) oops\n": (None, None),
}
"""Possible output of curl, with the version or the error of each line; the HTTP code follows the answer."""


@given(st.lists(st.sampled_from(sorted(LINES))), st.randoms(use_true_random=False), st.integers(0, 20))
def test_every_line_is_counted_once_in_whatever_order(lines: list[str], chance: random.Random, missing: int) -> None:
    """Missing requests count as failed, up to the number of requests."""
    heard = [line for line in lines if LINES[line] != (None, None)]
    printed = lines + ["#200\n" for line in lines if LINES[line][0]]
    chance.shuffle(printed)
    counted = parse_curl("".join(printed), len(heard) + missing, cut_off_reason="cut off")
    assert counted.versions == Counter(LINES[line][0] for line in heard if LINES[line][0])
    errors = Counter(LINES[line][1] for line in heard if LINES[line][1])
    assert counted.errors == errors + Counter({"cut off": missing})


@given(st.text(), st.integers(1, 50))
def test_whatever_curl_prints_no_request_is_left_out(text: str, requests: int) -> None:
    """The sum of good answers and errors is at least the number of requests."""
    counted = parse_curl(text, requests, cut_off_reason="")
    assert counted.versions.total() + counted.errors.total() >= requests


def test_shares_of_nothing_are_zero() -> None:
    """Every share is 0 without a good answer."""
    assert Tally(100).share("v2") == 0.0
