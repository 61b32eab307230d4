"""A mesh is destroyed after all changes of the other modules."""

import pytest

from lab.engines import MARK, Engine
from tests.e2e.breakages import Cluster, Target
from tests.e2e.checkout import Checkout
from tests.e2e.conftest import Lab
from tests.e2e.objects import Objects, left_over

pytestmark = [pytest.mark.e2e, pytest.mark.every_engine]

LEFT_CRD = Target(
    api_version="apiextensions.k8s.io/v1",
    kind="CustomResourceDefinition",
    name="gateways.networking.istio.io",
    namespace=None,
)
VERSION_LABEL = "app.kubernetes.io/version"


def test_destroy_leaves_no_object_in_any_cluster(
    lab: Lab, engine: Engine, checkout: Checkout, objects_before: dict[str, Objects]
) -> None:
    """The test compares every object with those before, including namespaces, CRDs, cluster roles and webhooks."""
    if not MARK.exists():
        checkout.deploy("up", engine).must_succeed()
    checkout.deploy("destroy", engine).must_succeed()
    for spec in lab.clusters:
        assert left_over(spec, objects_before[spec.name]) == set(), f"left in {spec.name}"
    assert not MARK.exists()


def test_crds_that_another_version_left_behind_are_taken_over(
    lab: Lab, engine: Engine, checkout: Checkout, objects_before: dict[str, Objects]
) -> None:
    """`destroy` keeps CRDs, and the next version may have another field manager."""
    spec = lab.clusters[0]
    cluster = Cluster(str(spec.kubeconfig))
    # The deployed mesh has created the CRDs.
    cluster.take_over(LEFT_CRD, {"metadata": {"labels": {VERSION_LABEL: "1.30.5"}}})
    clusters = checkout.config("clusters")
    checkout.configure(clusters=[{**clusters[0], "versions": ["v1", "v2"]}])
    try:
        checkout.deploy("up", engine).must_succeed()
        assert cluster.read(LEFT_CRD)["metadata"]["labels"][VERSION_LABEL] != "1.30.5"
    finally:
        checkout.deploy("destroy", engine).must_succeed()
        checkout.configure(clusters=clusters)
    assert left_over(spec, objects_before[spec.name]) == set()
