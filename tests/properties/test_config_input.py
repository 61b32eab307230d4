"""Arbitrary values for any config key."""

from hypothesis import example, given
from hypothesis import strategies as st

from config.parsing import parse
from errors import UserError
from tests.support.bad_config import Place, places, put
from tests.support.stacks import load_values

PLAIN = load_values("mcsps-test")
HEADERS = [{"exact": "test"}, {"prefix": "beta-"}, {"regex": "a|b"}]
RICH = {
    **PLAIN,
    "clusters": [
        {**cluster, "locality": {"region": region, "zone": f"{region}-1"}}
        for cluster, region in zip(PLAIN["clusters"], ("eu", "us"), strict=True)
    ],
    "audiences": [
        {"name": f"a-{number}", "version": "v1", "region": "eu", "header": {"name": "x-team", **header}}
        for number, header in enumerate(HEADERS)
    ],
    "failover": {"enabled": True, "order": [{"from": "eu", "to": "us"}]},
}
FULL = parse(RICH).model_dump(mode="json", by_alias=True)
"""A config with every required and every optional key."""
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JUNK = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=5), below, max_size=2)
)
PLACES = list(places(FULL))


def test_defaults_that_are_written_out_are_taken() -> None:
    """They have the same result as omitted keys."""
    assert parse(FULL) == parse(RICH)
    assert {("rancher", "project", "containerLimit", "limitsCpu"), ("clusters", 1, "access", "kind")} <= set(PLACES)


@given(place=st.sampled_from(PLACES), junk=JUNK)
@example(place=("mesh",), junk=None)
@example(place=("clusters",), junk="east")
@example(place=("clusters", 0), junk=[])
@example(place=("clusters", 0, "access"), junk={"kind": []})
@example(place=("clusters", 0, "access", "path"), junk=b"/")
@example(place=("rancher", "caCerts"), junk=["-----BEGIN"])
@example(place=("istio", "values", "istiod"), junk={7: 7})
@example(place=("audiences", 2, "header", "regex"), junk="(")
@example(place=("audiences", 1, "region"), junk="asia")
@example(place=("failover", "order", 0, "to"), junk=None)
@example(place=("failover", "enabled"), junk="maybe")
@example(place=("clusters", 1, "locality"), junk=None)
def test_junk_is_taken_or_refused_in_the_programs_own_words(place: Place, junk: object) -> None:
    """Each line begins with a key and contains what is allowed. No line is pydantic's own."""
    try:
        parse(put(FULL, place, junk))
    except UserError as error:
        first, *lines = str(error).splitlines()
        assert first == "the stack's config is invalid:"
        assert lines
        for line in lines:
            assert line.startswith("  mcsps:"), line
            assert any(word in line for word in ("allowed", "Set ", "Provide ")), line
            assert "nput should be" not in line
            assert "alid " not in line.partition("; ")[2], line
