"""The resources of the mesh's pods, compared with the quotas of their namespaces."""

from typing import Any

import pytest

from config.parsing import parse
from errors import UserError
from tests.support.bad_config import Place, put
from tests.support.stacks import load_values

BY_RANCHER = load_values("mcsps-test")
BY_KUBECONFIG = load_values("lab")
PROJECT: Place = ("rancher", "project")
APP_PROJECT: Place = ("rancher", "appProject")
VALUES: Place = ("istio", "values")
QUOTA = "rancher.project.namespaceQuota"
APP_QUOTA = "rancher.appProject.namespaceQuota"
START = "the limits of istiod and of 3 gateways at their start"
LEAST_CPU = f"allowed: at least 5000m, {START}"
LEAST_MEMORY = f"allowed: at least 3584Mi, {START}"
ROOM = f"which fits into {QUOTA}.limitsCpu: 12000m"
APP_ROOM = f"which fits into {APP_QUOTA}.limitsCpu: 12000m"
ONE_POD = "the limits of one pod of each version with its sidecar"
NO_CPU_LIMIT = {"resources": {"limits": {"cpu": None}}}


def refusal(values: dict[str, Any]) -> str:
    """Return why a config is refused, without the first line; empty if it is accepted."""
    try:
        parse(values)
    except UserError as error:
        return str(error).partition("\n")[2].strip()
    return ""


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (PROJECT, {"namespaceQuota": {"limitsCpu": "4999m"}}, f"{QUOTA}.limitsCpu: got 4999m; {LEAST_CPU}"),
        (PROJECT, {"namespaceQuota": {"limitsCpu": "0"}}, f"{QUOTA}.limitsCpu: got 0; {LEAST_CPU}"),
        (PROJECT, {"namespaceQuota": {"limitsMemory": "3Gi"}}, f"{QUOTA}.limitsMemory: got 3Gi; {LEAST_MEMORY}"),
        (
            APP_PROJECT,
            {"namespaceQuota": {"limitsCpu": "1"}},
            f"{APP_QUOTA}.limitsCpu: got 1; allowed: at least 1200m, {ONE_POD}",
        ),
        (
            APP_PROJECT,
            {"namespaceQuota": {"limitsMemory": "600Mi"}},
            f"{APP_QUOTA}.limitsMemory: got 600Mi; allowed: at least 640Mi, {ONE_POD}",
        ),
        (
            ("helloworld",),
            {"replicas": 11},
            f"helloworld.replicas: got 11; allowed: at most 10, {APP_ROOM}",
        ),
        (
            VALUES,
            {"istiod": {"autoscaleMax": 5}},
            f"istio.values.istiod.autoscaleMax: got 5; allowed: at most 4, {ROOM}",
        ),
        (
            VALUES,
            {"gateway": {"autoscaling": {"maxReplicas": 4}}},
            f"istio.values.gateway.autoscaling.maxReplicas: got 4; allowed: at most 3, {ROOM}",
        ),
        (
            VALUES,
            {"gateway": {"autoscaling": {"minReplicas": 4}}},
            f"{QUOTA}.limitsCpu: got 12000m; allowed: at least 14000m, {START}",
        ),
        (
            VALUES,
            {"gateway": {"autoscaling": {"enabled": False}, "replicaCount": 4}},
            f"{QUOTA}.limitsCpu: got 12000m; allowed: at least 14000m, {START}",
        ),
        (
            VALUES,
            {"istiod": {"autoscaleEnabled": False, "replicaCount": "5"}},
            f"{QUOTA}.limitsCpu: got 12000m; allowed: at least 13000m, {START}",
        ),
    ],
)
def test_pods_without_room_are_refused_by_the_key_to_change(place: Place, value: object, told: str) -> None:
    """Without this check, the quota would refuse the pods minutes later, in the cluster."""
    assert refusal(put(BY_RANCHER, place, value)) == f"mcsps:{told}"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (PROJECT, {"namespaceQuota": {"limitsCpu": "5", "limitsMemory": "3584Mi"}}),
        (APP_PROJECT, {"namespaceQuota": {"limitsCpu": "1200m", "limitsMemory": "640Mi"}}),
        (("helloworld",), {"replicas": 10}),
        (VALUES, {"istiod": {"autoscaleMax": 4}}),
        (VALUES, {"gateway": {"autoscaling": {"maxReplicas": 3}}}),
        (VALUES, {"gateway": {"autoscaling": None}, "istiod": {"resources": {"limits": {"cpu": "none"}}}}),
        (VALUES, {"gateway": {**NO_CPU_LIMIT, "replicaCount": 1, "autoscaling": {"maxReplicas": 5}}}),
    ],
)
def test_pods_with_just_enough_room_are_taken(place: Place, value: object) -> None:
    """A limit that is not a valid quantity counts as zero."""
    assert refusal(put(BY_RANCHER, place, value)) == ""


def test_a_cluster_with_both_versions_needs_room_for_both() -> None:
    """The cluster with the most versions determines the requirement."""
    values = put(put(BY_RANCHER, ("clusters", 1, "versions"), ["v1", "v2"]), ("helloworld",), {"replicas": 6})
    assert refusal(values).startswith("mcsps:helloworld.replicas: got 6; allowed: at most 5, which fits into ")


def test_without_a_quota_there_is_room_for_any_number() -> None:
    """A cluster with access by kubeconfig has no quota of the program."""
    values = put(BY_KUBECONFIG, ("helloworld", "replicas"), 100)
    assert refusal(put(values, VALUES, {"istiod": {"autoscaleMax": 100}})) == ""


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"istiod": {"autoscaleMin": 6}}, "istiod.autoscaleMin: got 6; allowed: at most autoscaleMax, which is 5"),
        (
            {"gateway": {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}},
            "gateway.autoscaling.minReplicas: got 3; allowed: at most maxReplicas, which is 2",
        ),
        ({"istiod": {"autoscaleMax": 0}}, "istiod.autoscaleMax: got 0; allowed: a whole number of 1 or more"),
        ({"istiod": {"autoscaleMax": "x"}}, "istiod.autoscaleMax: got 'x'; allowed: a whole number of 1 or more"),
        ({"istiod": {"autoscaleMin": True}}, "istiod.autoscaleMin: got true; allowed: a whole number of 1 or more"),
        (
            {"gateway": {"autoscaling": {"enabled": False}, "replicaCount": 0}},
            "gateway.replicaCount: got 0; allowed: a whole number of 1 or more",
        ),
    ],
)
def test_an_autoscaler_without_a_range_is_refused(values: dict[str, Any], told: str) -> None:
    """Without this check, Kubernetes would refuse it in the middle of an update."""
    assert refusal(put(BY_KUBECONFIG, VALUES, values)) == f"mcsps:istio.values.{told}"
