"""Helm values of a stack file over those of the program."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.parsing import parse
from errors import UserError, show
from mesh import names
from mesh.istio_values import OUTLINES, OWNED, find_owned, merge
from tests.support.bad_config import put
from tests.support.stacks import load_values

GOOD = load_values("lab")
Path = tuple[str, ...]

DEFAULTS: Mapping[str, set[Path]] = {
    "base": set(),
    "istiod": {
        *(
            (*place, kind, resource)
            for place in (("resources",), ("global", "proxy", "resources"))
            for kind in ("requests", "limits")
            for resource in ("cpu", "memory")
        )
    },
    "gateway": {
        ("imagePullPolicy",),
        *(("resources", kind, resource) for kind in ("requests", "limits") for resource in ("cpu", "memory")),
    },
}
"""The values that a stack file can override."""


def leaves(values: Mapping[str, Any], place: Path = ()) -> Iterator[Path]:
    """Yield the paths of all values that are no maps."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*place, key))
        else:
            yield (*place, key)


def nested(path: Path, value: object) -> dict[str, Any]:
    """One value at a path."""
    return reduce(lambda below, key: {key: below}, reversed(path), value)  # type: ignore[arg-type]


SET = [(chart, path) for chart, outline in OUTLINES.items() for path in leaves(outline)]
ALL_OWNED = [(chart, path) for chart, paths in OWNED.items() for path in paths]
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=3), max_size=2)


def is_owned(chart: str, path: Path) -> bool:
    """Whether the program alone sets a value, or a map around it."""
    return any(path[: len(owned)] == owned for owned in OWNED[chart])


@pytest.mark.parametrize(("chart", "path"), SET, ids=str)
def test_each_value_that_the_program_sets_is_owned_or_a_default(chart: str, path: Path) -> None:
    """A new value needs the decision."""
    assert is_owned(chart, path) != (path in DEFAULTS[chart])


@given(place=st.sampled_from(ALL_OWNED), value=VALUES, other=st.dictionaries(st.text(max_size=5), VALUES, max_size=2))
def test_an_owned_value_is_refused_by_its_name(
    place: tuple[str, Path], value: object, other: dict[str, object]
) -> None:
    """Whatever it is, and whatever is beside it."""
    chart, path = place
    with pytest.raises(UserError) as caught:
        parse(put(GOOD, ("istio", "values", chart), {**other, **nested(path, value)}))
    assert (
        f"mcsps:istio.values.{chart}.{'.'.join(path)}: got {show(value)}, but {OWNED[chart][path]}; "
        "allowed: the chart's other values. Remove the key" in str(caught.value)
    )


@given(
    place=st.sampled_from([(chart, path) for chart, paths in DEFAULTS.items() for path in sorted(paths)]),
    value=st.text(max_size=9),
)
def test_a_default_is_overridden(place: tuple[str, Path], value: str) -> None:
    """By what a stack file says."""
    chart, path = place
    theirs = nested(path, value)
    assert find_owned(chart, theirs) is None
    merged: Any = merge(OUTLINES[chart], theirs)
    assert reduce(lambda below, key: below[key], path, merged) == value


@given(
    chart=st.sampled_from(sorted(OWNED)),
    values=st.recursive(
        st.text(max_size=3),
        lambda below: st.dictionaries(st.sampled_from(["global", "env", "labels", "x", "app"]), below, max_size=3),
        max_leaves=6,
    ),
)
def test_what_is_not_refused_leaves_every_owned_value_as_it_is(chart: str, values: object) -> None:
    """At any depth."""
    theirs = values if isinstance(values, dict) else {}
    if find_owned(chart, theirs) is None:
        merged: Any = merge(OUTLINES[chart], theirs)
        for path in leaves(OUTLINES[chart]):
            below = merged
            for key in path:
                below = below.get(key) if isinstance(below, Mapping) else None
            blocked = any(not isinstance(_at(theirs, path[:end]), Mapping | None) for end in range(1, len(path)))
            if is_owned(chart, path) and not blocked:
                assert below == reduce(lambda it, key: it[key], path, OUTLINES[chart])


def _at(values: Any, path: Path) -> Any:  # noqa: ANN401 - Helm values
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def test_a_map_in_which_the_program_owns_a_part_keeps_the_rest_open() -> None:
    """Labels, annotations and environment of a stack file."""
    for theirs in ({"labels": {"team": "a"}}, {"env": {"A": "b"}}, {"annotations": {names.SKIP_AWAIT: "true"}}):
        parse(put(GOOD, ("istio", "values", "gateway"), theirs))
