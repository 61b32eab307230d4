"""`verify` reports exactly the cause of each broken mesh, and the remedy repairs the mesh."""

from collections.abc import Mapping

import pytest

from lab.engines import Engine
from ops.verify.check import CheckState
from ops.verify.checks.deployments_scaled import SCALED_TO_ZERO
from ops.verify.checks.gateway_reachable import GATEWAY_UNREACHABLE
from tests.e2e.breakages import BREAKAGES, EASTWEST_SERVICE, NO_POD, Breakage, Cluster
from tests.e2e.checkout import FEW_REQUESTS, Checkout, faults_once_settled
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e

# A broken mesh does not settle, so waiting longer has no effect.
BROKEN_WAIT_SECONDS = 5
FIRST_WAYS = tuple({breakage.cause: breakage for breakage in reversed(BREAKAGES)}.values())
"""One breakage for each cause, because CI has no time for more."""


@pytest.fixture(scope="module")
def mesh(lab: Lab, engine: Engine, checkout: Checkout) -> Mapping[str, Cluster]:
    """Return a mesh to break, in which each version runs in one cluster only."""
    checkout.deploy("up", engine).must_succeed()
    return {spec.name: Cluster(str(spec.kubeconfig)) for spec in lab.clusters}


@pytest.mark.parametrize(
    "breakage",
    [
        pytest.param(breakage, id=breakage.name, marks=[] if breakage in FIRST_WAYS else [pytest.mark.nightly])
        for breakage in BREAKAGES
    ],
)
def test_verify_names_the_cause_and_its_remedy_mends_it(
    mesh: Mapping[str, Cluster], checkout: Checkout, engine: Engine, breakage: Breakage
) -> None:
    """The report has one cause, with the right cluster and peer. Its remedy is a refresh."""
    try:
        breakage.breaks(mesh)
        report = checkout.verify(requests=FEW_REQUESTS, wait_seconds=BROKEN_WAIT_SECONDS)
        assert not report.ok
        named = [(cause.cause, cause.cluster, cause.peer) for cause in report.causes]
        assert named == [(breakage.cause.name, breakage.cluster, breakage.peer)]
        assert "`pulumi up --refresh`" in breakage.cause.remedy
    finally:
        breakage.prepares(mesh)
        checkout.deploy("up", engine, "--refresh").must_succeed()
        breakage.finishes(mesh)
    assert faults_once_settled(checkout) == []


def test_a_deployment_that_was_scaled_to_zero_is_scaled_back(
    mesh: Mapping[str, Cluster], checkout: Checkout, engine: Engine
) -> None:
    """A chart sets no replicas if its autoscaler is off, so the stack sets them. `verify` reports no other cause."""
    mesh["west"].scale("istio-eastwestgateway", 0)
    report = checkout.verify(requests=FEW_REQUESTS, wait_seconds=BROKEN_WAIT_SECONDS)
    (cause,) = report.causes
    assert (cause.cause, cause.cluster) == (SCALED_TO_ZERO.name, "west")
    assert "istio-eastwestgateway" in cause.seen
    assert "`pulumi up --refresh`" in cause.remedy
    checkout.deploy("up", engine, "--refresh").must_succeed()
    assert faults_once_settled(checkout) == []


def test_at_weight_0_a_gateway_that_no_request_needs_is_tried_all_the_same(
    mesh: Mapping[str, Cluster], checkout: Checkout, engine: Engine
) -> None:
    """A gateway that no request needed is skipped. If its Service selects no pod, `verify` names the gateway."""
    weight = checkout.config("v2Weight")
    checkout.configure(v2Weight=0)
    checkout.deploy("up", engine).must_succeed()
    try:
        report = checkout.verify(requests=FEW_REQUESTS)
        assert report.ok, [check for check in report.checks if not check.ok]
        crossings = {check.cluster: check.state for check in report.checks if check.id == "crossing"}
        assert crossings == {"east": CheckState.SKIPPED, "west": CheckState.PASSED}
        mesh["west"].edit(EASTWEST_SERVICE, NO_POD)
        report = checkout.verify(requests=FEW_REQUESTS, wait_seconds=BROKEN_WAIT_SECONDS)
        assert [(cause.cause, cause.cluster) for cause in report.causes] == [(GATEWAY_UNREACHABLE.name, "west")]
        assert all(traffic.ok for traffic in report.traffic)
    finally:
        checkout.configure(v2Weight=weight)
        checkout.deploy("up", engine, "--refresh").must_succeed()
