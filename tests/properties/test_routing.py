"""Any weights of the two versions."""

from hypothesis import given
from hypothesis import strategies as st

from mesh import routing

WEIGHTS = st.integers(min_value=0, max_value=100)


@given(WEIGHTS)
def test_weights_sum_to_100_and_none_is_negative(v2_weight: int) -> None:
    """Istio refuses all other weights."""
    weights = routing.weights(v2_weight)
    assert sum(weights.values()) == 100
    assert min(weights.values()) >= 0
    assert weights["v2"] == v2_weight


@given(WEIGHTS, WEIGHTS)
def test_weights_are_all_that_two_routes_differ_in(before: int, after: int) -> None:
    """The subsets keep their order, including a subset of weight 0."""
    specs = [
        routing.virtual_service_spec(gateway="mesh", host="h", weights=routing.weights(weight))
        for weight in (before, after)
    ]
    for spec, weight in zip(specs, (before, after), strict=True):
        route = spec["http"][0]["route"]
        assert [part.pop("weight") for part in route] == [100 - weight, weight]
    assert specs[0] == specs[1]
