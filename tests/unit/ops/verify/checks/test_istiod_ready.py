"""The check `istiod-ready`."""

import pytest

from ops.cluster.views import Workload
from ops.verify.check import CheckState
from ops.verify.checks.istiod_ready import CHECK, ISTIOD
from tests.support.api_double import ApiDouble
from tests.support.mesh import healthy_mesh, inspection, results, spoil


@pytest.mark.parametrize(
    ("istiod", "seen"),
    [
        (None, "no Deployment"),
        (Workload(wanted=0, ready=0), "0 of 0 pods ready"),
        (Workload(wanted=2, ready=1), "1 of 2 pods ready"),
    ],
)
def test_an_istiod_without_all_of_its_pods_is_not_ready(istiod: Workload | None, seen: str) -> None:
    """A Deployment with zero wanted and zero ready pods is not ready."""
    (result,) = results(CHECK, spoil(healthy_mesh(), "east", istiod=istiod), "east")
    assert (result.state, result.seen, result.remedy) == (CheckState.FAILED, seen, CHECK.hint)


def test_an_istiod_with_all_of_its_pods_is_ready() -> None:
    """It has as many ready pods as its Deployment wants."""
    (result,) = results(CHECK, spoil(healthy_mesh(), "east", istiod=Workload(wanted=1, ready=1)), "east")
    assert (result.state, result.seen) == (CheckState.PASSED, "1 of 1 pods ready")


def test_istiod_is_read_from_its_deployment() -> None:
    """The check reads it through the API of the cluster."""
    assert ISTIOD.read(inspection(ApiDouble())) == Workload(wanted=1, ready=1)
