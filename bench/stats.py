"""Measured times and what is said of them: medians, spreads, ratios, growth. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Side(StrEnum):
    """Which side of a comparison a run is on."""

    OURS = "ours"
    FLOOR = "floor"


@dataclass(frozen=True)
class Sample:
    """
    One run.

    Attributes:
        wall: Seconds from start to end.
        cpu: Seconds of CPU, user and system, of the run and of the processes that it waited for.
    """

    wall: float
    cpu: float

    def __add__(self, other: Sample) -> Sample:
        """Two runs, one after the other."""
        return Sample(self.wall + other.wall, self.cpu + other.cpu)


@dataclass(frozen=True)
class Spread:
    """A median with the smallest and the largest value beside it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it for a table."""
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """Sum values up; ValueError (StatisticsError) without any."""
    return Spread(median(values), min(values), max(values))


@dataclass(frozen=True)
class Comparison:
    """Pairs of runs, ours and the floor's, each pair measured one right after the other."""

    ours: tuple[Sample, ...]
    floor: tuple[Sample, ...]

    @classmethod
    def of(cls, samples: Mapping[Side, Sequence[Sample]]) -> Comparison:
        """Compare what was taken on either side."""
        return cls(ours=tuple(samples[Side.OURS]), floor=tuple(samples[Side.FLOOR]))

    @property
    def wall_ratio(self) -> Spread:
        """Ours over the floor, pair by pair, so that a slow minute of the machine weighs on both."""
        return spread([ours.wall / floor.wall for ours, floor in zip(self.ours, self.floor, strict=True)])

    @property
    def cpu_ratio(self) -> Spread:
        """The same of CPU seconds, which waiting does not hide and neighbours hardly change."""
        return spread([ours.cpu / floor.cpu for ours, floor in zip(self.ours, self.floor, strict=True)])


def wall(samples: Sequence[Sample]) -> Spread:
    """Sum up the seconds from start to end."""
    return spread([sample.wall for sample in samples])


def cpu(samples: Sequence[Sample]) -> Spread:
    """Sum up the CPU seconds."""
    return spread([sample.cpu for sample in samples])


def slope(sizes: tuple[int, int], seconds: tuple[float, float]) -> float:
    """Seconds for each further resource between two sizes."""
    return (seconds[1] - seconds[0]) / (sizes[1] - sizes[0])


def growth(sizes: tuple[int, int], seconds: tuple[float, float]) -> float:
    """
    The exponent e of `seconds ~ sizes ** e` between two sizes.

    1 grows with the number of resources, more than 1 grows faster.
    """
    return math.log(seconds[1] / seconds[0]) / math.log(sizes[1] / sizes[0])
