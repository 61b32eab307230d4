"""The end of a mesh, after all that other modules did to it."""

import pytest

from lab.engines import MARK, Engine
from tests.e2e.checkout import Checkout
from tests.e2e.conftest import Lab
from tests.e2e.objects import Objects, left_over

pytestmark = [pytest.mark.e2e, pytest.mark.every_engine]


def test_destroy_leaves_no_object_in_any_cluster(
    lab: Lab, engine: Engine, checkout: Checkout, objects_before: dict[str, Objects]
) -> None:
    """No namespace, CRD, cluster role, webhook or anything else that was not there before."""
    if not MARK.exists():
        checkout.deploy("up", engine).must_succeed()
    checkout.deploy("destroy", engine).must_succeed()
    for spec in lab.clusters:
        assert left_over(spec, objects_before[spec.name]) == set(), f"left in {spec.name}"
    assert not MARK.exists()
