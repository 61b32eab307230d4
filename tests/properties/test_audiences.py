"""Any list of audiences: the first matching one decides, and no audience may be unreachable."""

from collections.abc import Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from config.parsing import parse
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
