"""Any list of audiences: the first matching one decides, and no audience may be unreachable."""

import re
import time
from collections.abc import Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from config.parsing import parse
from config.schema.coverage import Condition, Coverage, Patterns
from errors import UserError
from mesh import routing
from tests.support.stacks import load_values

LAB = load_values("lab")
REGIONS = {"east": "eu", "west": "us"}
CLUSTERS = [{**cluster, "locality": {"region": REGIONS[cluster["name"]]}} for cluster in LAB["clusters"]]
TEXTS = st.text("ab", min_size=1, max_size=2)
HEADERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["x-one", "x-two"])}, optional={"exact": TEXTS, "prefix": TEXTS}
).filter(lambda header: len(header) == 2)
AUDIENCES = st.lists(
    st.fixed_dictionaries(
        {"version": st.sampled_from(["v1", "v2"])},
        optional={"header": HEADERS, "region": st.sampled_from(["eu", "us"])},
    ).filter(lambda audience: len(audience) > 1),
    max_size=4,
)
SHORT = ["".join(letters) for length in (1, 2) for letters in product("ab", repeat=length)]
VALUES = [None, "c", *SHORT, *(f"{text}c" for text in SHORT)]
"""They include a letter that no audience uses, so that several narrow audiences never cover a wide one."""
REQUESTS = [(cluster, {"x-one": one, "x-two": two}) for cluster in REGIONS for one in VALUES for two in VALUES]


def settings(audiences: list[dict[str, object]], cluster: str, request: Mapping[str, str | None]) -> int:
    """Return the index of a request's audience, by Istio's order of routes; the number of audiences if none matches."""

    def belongs(audience: Mapping[str, object]) -> bool:
        if audience.get("region") not in {None, REGIONS[cluster]}:
            return False
        header = audience.get("header")
        if not isinstance(header, dict):
            return True
        value = request[header["name"]]
        return value is not None and (value == header.get("exact") or value.startswith(header.get("prefix", "\0")))

    return next((index for index, each in enumerate(audiences) if belongs(each)), len(audiences))


@given(audiences=AUDIENCES)
def test_audiences_are_refused_where_one_never_gets_a_request_and_nowhere_else(
    audiences: list[dict[str, object]],
) -> None:
    """The test sends every request that can make a difference."""
    reached = {settings(audiences, cluster, request) for cluster, request in REQUESTS}
    named = [{"name": f"a-{number}", **each} for number, each in enumerate(audiences)]
    try:
        parse({**LAB, "clusters": CLUSTERS, "audiences": named})
        refused = ""
    except UserError as error:
        refused = str(error)
    left_out = sorted(set(range(len(audiences))) - reached)
    assert bool(refused) == bool(left_out)
    if left_out:
        assert f"mcsps:audiences[{left_out[0]}]: 'a-{left_out[0]}' never matches" in refused


@given(
    weight=st.integers(0, 100),
    clusters=st.lists(st.lists(st.sampled_from(["east", "west"]), unique=True).map(tuple), max_size=3),
)
def test_audiences_come_first_and_the_weighted_route_is_the_same_without_them(
    weight: int, clusters: list[tuple[str, ...]]
) -> None:
    """Each audience has one match for each of its clusters, or one match for all clusters."""
    audiences = [
        routing.Audience(name=f"a-{number}", version="v1", header="x", header_match={"exact": "a"}, clusters=each)
        for number, each in enumerate(clusters)
    ]
    weights = routing.weights(weight)
    *special, last = routing.virtual_service_spec(gateway="g", host="h", weights=weights, audiences=audiences)["http"]
    assert [last] == routing.virtual_service_spec(gateway="g", host="h", weights=weights)["http"]
    assert [len(route["match"]) for route in special] == [max(1, len(each)) for each in clusters]
    assert all(len(route["route"]) == 1 for route in special)


@st.composite
def conditions(draw: st.DrawFn) -> list[Condition | None]:
    """Draw conditions of few headers and few letters, so that many cover others."""
    texts = st.text("ab", min_size=1, max_size=3)
    regexes = st.sampled_from([".*", "a", "a.*", "(a|b)", "a|b|ab", "b+", "[ab]{2}"])
    one = st.one_of(
        st.tuples(st.sampled_from("xy"), st.sampled_from(["exact", "prefix"]), texts),
        st.tuples(st.sampled_from("xy"), st.just("regex"), regexes),
        st.none(),
    )
    return draw(st.lists(one, max_size=12))


def covers(earlier: Condition | None, later: Condition | None) -> bool:
    """Whether one condition certainly matches each request of another, by definition."""
    if earlier is None or later is None:
        return earlier is None
    if earlier[0] != later[0]:
        return False
    (_, kind, text), (_, later_kind, later_text) = earlier, later
    if earlier == later or (kind, text) == ("regex", ".*"):
        return True
    if later_kind == "exact":
        by_regex = kind == "regex" and re.fullmatch(text, later_text) is not None
        return by_regex or (kind == "prefix" and later_text.startswith(text))
    return (kind, later_kind) == ("prefix", "prefix") and later_text.startswith(text)


@given(conditions())
def test_the_first_condition_that_covers_a_later_one_is_found(found: list[Condition | None]) -> None:
    """As a comparison of each with each would."""
    coverage = Coverage(Patterns(found))
    for index, condition in enumerate(found):
        expected = next((at for at, earlier in enumerate(found[:index]) if covers(earlier, condition)), None)
        assert coverage.find(condition) == expected
        coverage.add(index, condition)


def test_the_time_grows_with_the_number_of_audiences() -> None:
    """Not with its square: eight times as many audiences take about eight times as long."""

    # A quarter each: equal headers, prefixes, regular expressions, and exact values of the same header as these.
    def seconds(count: int) -> float:
        found: list[Condition | None] = []
        for number in range(count // 4):
            found += [
                ("x", "exact", f"value-{number}"),
                ("y", "prefix", f"value-{number}-"),
                ("z", "regex", f"(v|w)alue-{number}"),
                ("z", "exact", f"team-{number}"),
            ]
        started = time.process_time()
        coverage = Coverage(Patterns(found))
        for index, condition in enumerate(found):
            assert coverage.find(condition) is None
            coverage.add(index, condition)
        return time.process_time() - started

    seconds(100)
    few, many = min(seconds(500) for _ in range(3)), min(seconds(4000) for _ in range(3))
    assert many < 24 * few
