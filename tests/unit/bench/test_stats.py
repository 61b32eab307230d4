"""Medians, ratios and growth."""

import pytest

from bench.stats import Comparison, Sample, Side, cpu, growth, slope, spread, wall
from bench.timing import alternate


def test_a_spread_is_written_with_its_range() -> None:
    """A figure in a table shows the spread of the runs."""
    assert str(spread([3.0, 1.0, 2.0])) == "2.00 (1.00-3.00)"


def test_a_ratio_is_taken_pair_by_pair() -> None:
    """A slow minute of the machine, which affects both sides of a pair, does not change the ratio."""
    both = Comparison.of(
        {
            Side.OURS: [Sample(2, 1), Sample(20, 1), Sample(2, 1)],
            Side.FLOOR: [Sample(1, 2), Sample(10, 2), Sample(1, 2)],
        }
    )
    assert (both.wall_ratio.low, both.wall_ratio.median, both.wall_ratio.high) == (2, 2, 2)
    assert both.cpu_ratio.median == 0.5


def test_sides_that_differ_in_number_are_no_pairs() -> None:
    """A run without its counterpart is an error."""
    with pytest.raises(ValueError, match="zip"):
        _ = Comparison.of({Side.OURS: [Sample(1, 1)], Side.FLOOR: []}).wall_ratio


def test_parts_of_a_run_add_up() -> None:
    """Seconds and CPU seconds are added separately."""
    total = Sample(1, 2) + Sample(10, 20)
    assert (wall([total]).median, cpu([total]).median) == (11, 22)


def test_growth_tells_linear_from_quadratic() -> None:
    """The exponent is 1 for linear growth and 2 for quadratic growth."""
    assert growth((10, 40), (1, 4)) == pytest.approx(1)
    assert growth((10, 40), (1, 16)) == pytest.approx(2)


def test_slope_leaves_the_fixed_part_out() -> None:
    """Seconds that do not depend on the size do not count for each resource."""
    assert slope((10, 20), (5.1, 5.2)) == pytest.approx(0.01)


def test_every_second_pair_begins_with_the_floor() -> None:
    """Neither side always runs on the warm machine."""
    assert list(alternate(3)) == [
        (1, Side.OURS),
        (1, Side.FLOOR),
        (2, Side.FLOOR),
        (2, Side.OURS),
        (3, Side.OURS),
        (3, Side.FLOOR),
    ]
