"""The rules by which Helm values are merged."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mesh.istio_values import merge

Values = dict[str, Any]

KEYS = st.sampled_from("abcd")
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=3)
VALUES = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=4), lambda below: st.dictionaries(KEYS, LEAVES | below, max_size=4)
)


@given(VALUES)
def test_nothing_over_values_and_values_over_nothing_are_the_values(values: Values) -> None:
    """The empty map is neutral on both sides."""
    assert merge(values, {}) == merge({}, values) == values


@given(VALUES, VALUES)
def test_laying_over_twice_is_laying_over_once(ours: Values, theirs: Values) -> None:
    """A second merge of the same values changes nothing."""
    once = merge(ours, theirs)
    assert merge(once, theirs) == once


@given(VALUES, VALUES)
def test_all_of_theirs_is_in_the_result_and_ours_where_they_say_nothing(ours: Values, theirs: Values) -> None:
    """This holds at every depth."""
    merged = merge(ours, theirs)
    assert merged.keys() == ours.keys() | theirs.keys()
    for key, value in merged.items():
        if key not in theirs:
            assert value == ours[key]
        elif isinstance(theirs[key], dict) and isinstance(ours.get(key), dict):
            assert value == merge(ours[key], theirs[key])
        else:
            assert value == theirs[key]


@given(VALUES, VALUES)
def test_neither_side_is_changed(ours: Values, theirs: Values) -> None:
    """All clusters share the program's defaults."""
    kept = copy.deepcopy((ours, theirs))
    merge(ours, theirs)
    assert (ours, theirs) == kept
