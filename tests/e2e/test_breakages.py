"""Each way to break a mesh is named by `verify`, and nothing else is; once it is mended, all is well again."""

from collections.abc import Mapping

import pytest

from lab.deploy import Engine
from tests.e2e.breakages import BREAKAGES, Breakage, Cluster
from tests.e2e.checkout import Checkout, faults
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e

FEW_REQUESTS = 100


@pytest.fixture(scope="module", params=[Engine.STAND_IN], ids=str)
def engine(request: pytest.FixtureRequest, lab: Lab) -> Engine:
    """The engine that is always here: what breaks is the mesh, whoever made it."""
    del lab
    return Engine(request.param)


@pytest.fixture(scope="module")
def mesh(lab: Lab, engine: Engine, checkout: Checkout) -> Mapping[str, Cluster]:
    """A mesh to break."""
    checkout.deploy("up", engine).must_succeed()
    return {spec.name: Cluster(str(spec.kubeconfig)) for spec in lab.clusters}


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage.name.replace(" ", "-"))
def test_verify_names_the_cause_and_is_green_after_the_mend(
    mesh: Mapping[str, Cluster], checkout: Checkout, breakage: Breakage
) -> None:
    """The cause, the cluster and the peer are as broken, and it is the only cause."""
    with breakage.breaks(mesh):
        report = checkout.verify(FEW_REQUESTS)
    assert not report.ok
    named = [(cause.cause, cause.cluster, cause.peer) for cause in report.causes]
    assert named == [(breakage.cause, breakage.cluster, breakage.peer)]

    assert faults(checkout.verify(FEW_REQUESTS)) == []
