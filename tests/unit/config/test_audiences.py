"""The audiences that leave no requests to a later one, and the configs in which failover is on."""

from collections.abc import Mapping

import pytest

from config.parsing import parse
from errors import UserError
from tests.support.bad_config import ABSENT, put
from tests.support.stacks import load_values

GOOD = load_values("lab")
Header = Mapping[str, str]
TWO_REGIONS = put(
    put(GOOD, ("clusters", 0, "locality"), {"region": "eu"}), ("clusters", 1, "locality"), {"region": "us"}
)


def with_audiences(*audiences: Mapping[str, object]) -> dict[str, object]:
    """Return a stack of two regions with these audiences."""
    named = [{"name": f"a-{number}", "version": "v1", **each} for number, each in enumerate(audiences)]
    return {**TWO_REGIONS, "audiences": named}


def header(**match: str) -> dict[str, object]:
    """Return an audience that matches the header x-team."""
    return {"header": {"name": "x-team", **match}}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (header(exact="a"), header(exact="a")),
        (header(prefix="te"), header(exact="test")),
        (header(prefix="te"), header(exact="te")),
        (header(prefix="te"), header(prefix="tes")),
        (header(regex="t.*t|x"), header(exact="test")),
        (header(regex="t.*t"), header(regex="t.*t")),
        (header(regex=".*"), header(regex="t.*t")),
        (header(regex=".*"), header(prefix="t")),
        (header(exact="a"), {**header(exact="a"), "region": "eu"}),
        ({"region": "eu"}, {**header(exact="a"), "region": "eu"}),
        ({"region": "eu"}, {"region": "eu"}),
    ],
)
def test_an_audience_that_an_earlier_one_leaves_nothing_is_refused(
    earlier: Mapping[str, object], later: Mapping[str, object]
) -> None:
    """The reverse order is accepted, unless both audiences are the same."""
    with pytest.raises(UserError, match=r"audiences\[1\]: 'a-1' never matches, since audiences\[0\] before it"):
        parse(with_audiences(earlier, later))
    if earlier != later:
        assert len(parse(with_audiences(later, earlier)).audiences) == 2


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (header(exact="a"), header(exact="A")),
        (header(exact="a"), header(prefix="a")),
        (header(prefix="tes"), header(prefix="te")),
        (header(prefix="te"), header(regex="te.*")),
        (header(regex="es"), header(exact="test")),
        (header(exact="a"), {"header": {"name": "x-other", "exact": "a"}}),
        (header(exact="a"), {"region": "eu"}),
        ({**header(exact="a"), "region": "eu"}, {**header(exact="a"), "region": "us"}),
        ({**header(exact="a"), "region": "eu"}, header(exact="a")),
        ({"region": "eu"}, header(exact="a")),
    ],
)
def test_an_audience_that_is_left_something_is_taken(
    earlier: Mapping[str, object], later: Mapping[str, object]
) -> None:
    """Values are compared with case, and a regular expression must match the whole value."""
    assert len(parse(with_audiences(earlier, later)).audiences) == 2


def test_an_audience_is_left_nothing_by_several_that_share_it_out() -> None:
    """The earlier audiences together take the requests of every region."""
    team = header(exact="a")
    parts = ({**team, "region": "eu"}, {**header(prefix="a"), "region": "us"})
    assert len(parse(with_audiences(team, {"region": "eu"})).audiences) == 2
    with pytest.raises(UserError, match=r"audiences\[2\].* since audiences\[0\] and audiences\[1\] before it"):
        parse(with_audiences(*parts, team))


@pytest.mark.parametrize(
    ("values", "enabled", "on"),
    [(GOOD, ABSENT, False), (GOOD, False, False), (TWO_REGIONS, ABSENT, True), (TWO_REGIONS, True, True)],
)
def test_failover_is_on_where_there_are_two_regions(values: Mapping[str, object], enabled: object, *, on: bool) -> None:
    """Failover is off if the clusters have no localities."""
    failover = {} if enabled is ABSENT else {"enabled": enabled}
    assert parse({**values, "failover": failover}).fails_over is on


def test_the_operator_s_istio_fails_over_nowhere() -> None:
    """Audiences can still have regions."""
    istio = {"installer": "operator", "version": "1.23.6", "tag": "1.23.6"}
    stack = parse({**TWO_REGIONS, "istio": istio, "audiences": [{"name": "a", "version": "v1", "region": "eu"}]})
    assert not stack.fails_over


def test_failover_is_switched_off_by_one_key() -> None:
    """The switch also works if the other keys of failover have their default values."""
    failover = {"enabled": False, "order": [], "retryAttempts": 2}
    assert parse({**TWO_REGIONS, "failover": failover}).fails_over is False


@pytest.mark.parametrize(
    ("failover", "told"),
    [
        ({"order": [{"from": "eu", "to": "us"}]}, "order: got a list of 1"),
        ({"retryAttempts": 3}, "retryAttempts: got 3"),
    ],
)
def test_a_key_of_failover_has_its_effect_or_is_refused(failover: dict[str, object], told: str) -> None:
    """The program never ignores a key of failover silently."""
    assert parse({**TWO_REGIONS, "failover": failover}).fails_over
    with pytest.raises(UserError) as caught:
        parse({**TWO_REGIONS, "failover": {"enabled": False, **failover}})
    assert (
        f"mcsps:failover.{told}, but failover is off; allowed: the key only with failover. Remove it, or turn failover "
        "on" in str(caught.value)
    )


@pytest.mark.parametrize(
    ("locality", "label"), [({"region": "eu"}, "eu"), ({"region": "eu", "zone": "eu-1"}, "eu.eu-1")]
)
def test_a_locality_is_one_label(locality: Mapping[str, str], label: str) -> None:
    """Dots separate the parts, because the value of a label cannot contain a slash."""
    found = parse(put(TWO_REGIONS, ("clusters", 0, "locality"), locality)).clusters[0].locality
    assert found is not None
    assert found.label == label
