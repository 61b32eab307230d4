"""Runs that are killed at any point converge when they are repeated. These tests are too long for CI."""

import os
import random

import pytest

from lab.engines import MARK, Engine
from lab.spec import ClusterSpec, existing, find
from tests.e2e.breakages import Cluster
from tests.e2e.checkout import FEW_REQUESTS, Checkout, faults
from tests.e2e.conftest import Lab
from tests.e2e.objects import Objects, left_over

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.every_engine, pytest.mark.soak]

KILLS = 10
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
# A run needs a moment to begin, and the next one may be faster than the measured one. A kill before the
# beginning or after the end proves nothing.
EARLIEST_SECONDS = 1.0
LATEST_PART = 0.9


@pytest.fixture(scope="module")
def seconds(empty_clusters: tuple[ClusterSpec, ...], engine: Engine, checkout: Checkout) -> dict[str, float]:
    """Return the seconds that `up` and `destroy` take without a kill."""
    del empty_clusters
    return {command: checkout.deploy(command, engine).must_succeed().seconds for command in ("up", "destroy")}


@pytest.mark.parametrize("number", range(KILLS), ids=lambda number: f"seed-{SEED}-kill-{number}")
def test_up_and_destroy_converge_after_a_kill(
    checkout: Checkout, engine: Engine, objects_before: dict[str, Objects], seconds: dict[str, float], number: int
) -> None:
    """A second `up` ends in a verified mesh, and a second `destroy` leaves what the clusters held before."""
    chance = random.Random(f"{SEED}-{engine}-{number}")  # noqa: S311 - no secret, and reproducible by its seed
    points = {command: chance.uniform(EARLIEST_SECONDS, LATEST_PART * whole) for command, whole in seconds.items()}
    said = ", ".join(f"{command} at {point:.1f} s of {seconds[command]:.0f}" for command, point in points.items())

    assert checkout.run_and_kill(points["up"], "lab.deploy", "up", "--engine", engine), f"no kill: {said}"
    checkout.deploy("up", engine).must_succeed()
    assert faults(checkout.verify(requests=FEW_REQUESTS)) == [], f"killed {said}"
    checkout.deploy("preview", engine, "--expect-no-changes").must_succeed()

    assert checkout.run_and_kill(points["destroy"], "lab.deploy", "destroy", "--engine", engine), f"no kill: {said}"
    checkout.deploy("destroy", engine).must_succeed()
    assert orphans(objects_before) == [], f"killed {said}"
    assert not MARK.exists()


def test_destroy_ends_with_istiod_already_dead(
    checkout: Checkout, engine: Engine, lab: Lab, objects_before: dict[str, Objects]
) -> None:
    """A webhook without a server does not block a deletion."""
    checkout.deploy("up", engine).must_succeed()
    for spec in lab.clusters:
        Cluster(str(spec.kubeconfig)).scale("istiod", 0)
    checkout.deploy("destroy", engine).must_succeed()
    assert orphans(objects_before) == []


def orphans(before: dict[str, Objects]) -> list[str]:
    """Return the objects in any cluster that did not exist before."""
    return [
        f"{cluster}: {left}"
        for cluster, objects in before.items()
        for left in sorted(left_over(find(cluster, existing()), objects))
    ]
