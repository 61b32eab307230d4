"""Statistics of measured times: medians, spreads, ratios, growth. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Side(StrEnum):
    """The side of a comparison."""

    OURS = "ours"
    FLOOR = "floor"


@dataclass(frozen=True)
class Sample:
    """
    The times of one run.

    Attributes:
        wall: Seconds from start to end.
        cpu: Seconds of CPU, user and system, of the run and of the processes that it waited for.
    """

    wall: float
    cpu: float

    def __add__(self, other: Sample) -> Sample:
        """Return the times of two runs, one after the other."""
        return Sample(self.wall + other.wall, self.cpu + other.cpu)


@dataclass(frozen=True)
class Spread:
    """A median with the smallest and the largest value."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the spread as text for a table."""
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """
    Return the spread of values.

    Raises:
        ValueError: There are no values (`StatisticsError`).
    """
    return Spread(median(values), min(values), max(values))


@dataclass(frozen=True)
class Comparison:
    """Pairs of runs, the project's and the floor's, each pair measured directly one after the other."""

    ours: tuple[Sample, ...]
    floor: tuple[Sample, ...]

    @classmethod
    def of(cls, samples: Mapping[Side, Sequence[Sample]]) -> Comparison:
        """Return the comparison of the samples of both sides."""
        return cls(ours=tuple(samples[Side.OURS]), floor=tuple(samples[Side.FLOOR]))

    @property
    def wall_ratio(self) -> Spread:
        """The ratio of seconds to the floor, pair by pair, so that a slow minute of the machine affects both sides."""
        return spread([ours.wall / floor.wall for ours, floor in zip(self.ours, self.floor, strict=True)])

    @property
    def cpu_ratio(self) -> Spread:
        """The ratio of CPU seconds, which do not include waits and hardly depend on other load."""
        return spread([ours.cpu / floor.cpu for ours, floor in zip(self.ours, self.floor, strict=True)])


def wall(samples: Sequence[Sample]) -> Spread:
    """Return the spread of the seconds from start to end."""
    return spread([sample.wall for sample in samples])


def cpu(samples: Sequence[Sample]) -> Spread:
    """Return the spread of the CPU seconds."""
    return spread([sample.cpu for sample in samples])


def slope(sizes: tuple[int, int], seconds: tuple[float, float]) -> float:
    """Return the seconds for each further resource between two sizes."""
    return (seconds[1] - seconds[0]) / (sizes[1] - sizes[0])


def growth(sizes: tuple[int, int], seconds: tuple[float, float]) -> float:
    """
    Return the exponent e of `seconds ~ sizes ** e` between two sizes.

    An exponent of 1 is linear growth; more than 1 is faster.
    """
    return math.log(seconds[1] / seconds[0]) / math.log(sizes[1] / sizes[0])
