"""The check `deployments-scaled`, and the consequences of its cause."""

from dataclasses import replace

import pytest

from config.schema import Installer
from ops.cluster.views import Workload
from ops.verify.check import CheckState
from ops.verify.checks.deployments_scaled import CHECK, SCALED, SCALED_TO_ZERO, ScaledDeployment
from ops.verify.checks.gateway_reachable import GATEWAY_UNREACHABLE
from ops.verify.diagnosis import diagnose
from ops.verify.facts import MeshFacts
from ops.verify.report import CheckResult, NamedCause
from tests.support.api_double import ApiDouble
from tests.support.mesh import (
    gateway,
    healthy_mesh,
    hide,
    inspection,
    loop,
    results,
    spoil,
    spoil_client,
    spoil_remote,
    stack_settings,
)

DOWN = Workload(wanted=0, ready=0)


def deployment(name: str, namespace: str = "istio-system", *, autoscaled: bool = False) -> ScaledDeployment:
    """Return a Deployment that is scaled to zero."""
    return ScaledDeployment(namespace=namespace, name=name, autoscaled=autoscaled)


def failed(mesh: MeshFacts) -> dict[str, CheckResult]:
    """Return the failed results by check."""
    return {found.id: found for found in diagnose(mesh, stack_settings()).checks if not found.ok}


def causes(mesh: MeshFacts) -> tuple[NamedCause, ...]:
    """Return all causes."""
    return diagnose(mesh, stack_settings()).causes


def test_every_deployment_that_is_scaled_to_zero_is_read() -> None:
    """The fact covers istiod, the gateways, and the versions of the cluster. Other Deployments are left out."""
    api = ApiDouble()
    api.replicas = {"istiod": 0, "istio-egressgateway": 0, "istio-ingressgateway": 2, "helloworld-v1": 0}
    api.replicas["helloworld-v2"] = 0
    api.autoscaled_there = frozenset({"istiod", "istio-ingressgateway"})
    assert SCALED.read(inspection(api)) == (
        deployment("istiod", autoscaled=True),
        deployment("istio-egressgateway"),
        deployment("helloworld-v1", "sample"),
    )


def test_autoscalers_are_read_only_where_they_matter() -> None:
    """A healthy mesh can be verified without the right to list autoscalers."""
    api = ApiDouble()
    api.refuses["autoscaled"] = "the API answered 403 Forbidden"
    assert SCALED.read(inspection(api)) == ()


def test_a_mesh_with_all_deployments_passes() -> None:
    """The result has no cause."""
    (result,) = results(CHECK, healthy_mesh(), "west")
    assert (result.state, result.cause) == (CheckState.PASSED, None)


def test_each_deployment_is_named_with_its_own_remedy() -> None:
    """Pulumi restores a count that the stack contains. The user restores any other count with kubectl."""
    autoscaled = deployment("istio-ingressgateway", autoscaled=True)
    stated = deployment("helloworld-v2", "sample")
    found = causes(spoil(healthy_mesh(), "west", scaled=(autoscaled, stated)))
    assert [(cause.cause, cause.cluster) for cause in found] == [(SCALED_TO_ZERO.name, "west")] * 2
    by_hand, by_pulumi = found
    assert by_hand.seen == "Deployment istio-system/istio-ingressgateway is scaled to 0"
    assert "`kubectl scale deployment/istio-ingressgateway --namespace istio-system --replicas=1`" in by_hand.remedy
    assert by_pulumi.seen == "Deployment sample/helloworld-v2 is scaled to 0"
    assert by_pulumi.remedy == "`pulumi up --refresh` restores the count that the stack states"


@pytest.mark.parametrize(("name", "namespace", "by_hand"), [("istiod", "istio-system", True), ("x", "sample", False)])
def test_with_the_operator_the_stack_states_no_count_of_istios(name: str, namespace: str, *, by_hand: bool) -> None:
    """The stack still contains the counts of helloworld."""
    settings = stack_settings()
    settings = settings.model_copy(
        update={"istio": settings.istio.model_copy(update={"installer": Installer.OPERATOR})}
    )
    mesh = spoil(healthy_mesh(), "west", scaled=(deployment(name, namespace),))
    (cause,) = diagnose(mesh, settings).causes
    assert ("kubectl scale" in cause.remedy) is by_hand


def test_a_gateway_without_pods_is_no_cause_of_its_own() -> None:
    """The report does not blame firewalls or addresses for it."""
    mesh = spoil(healthy_mesh(), "west", gateway=replace(gateway("west"), workload=DOWN))
    assert [cause.cause for cause in causes(mesh)] == [GATEWAY_UNREACHABLE.name]
    mesh = spoil(mesh, "west", scaled=(deployment("istio-eastwestgateway"),))
    (cause,) = causes(mesh)
    assert cause.cause == SCALED_TO_ZERO.name
    assert failed(mesh)["gateway-reachable"].consequence_of == SCALED_TO_ZERO.name


def test_what_follows_from_an_istiod_without_pods_follows_from_this_cause() -> None:
    """These are its readiness, its links, and its client pod without a sidecar, but not the other cluster's links."""
    mesh = spoil(healthy_mesh(), "west", istiod=DOWN, scaled=(deployment("istiod"),))
    mesh = spoil_remote(mesh, "west", "east", sync="", query_error="no istiod is ready")
    mesh = spoil_client(mesh, "west", error="not ready after 60 s")
    found = failed(mesh)
    for check in ("istiod-ready", "remote-synced", "client-pod"):
        assert found[check].consequence_of == SCALED_TO_ZERO.name
        assert found[check].remedy is None
    elsewhere = spoil_remote(healthy_mesh(), "east", "west", sync="", query_error="no istiod is ready")
    elsewhere = spoil(elsewhere, "west", scaled=(deployment("istiod"),))
    assert failed(elsewhere)["remote-synced"].consequence_of is None


def test_a_version_without_pods_explains_its_endpoints_and_the_traffic() -> None:
    """This holds in its own cluster and in the peers. The cause comes before less fundamental ones."""
    mesh = spoil(healthy_mesh(), "west", scaled=(deployment("helloworld-v2", "sample"),), local={"v2": ()})
    mesh = spoil(mesh, "west", network_label=None)
    mesh = replace(mesh, traffic=(loop("east", v1=900, v2=0),))
    found = failed(mesh)
    assert causes(mesh)[0].cause == SCALED_TO_ZERO.name
    for check in ("endpoints", "traffic-client"):
        assert found[check].consequence_of == SCALED_TO_ZERO.name


def test_what_the_api_does_not_show_fails_and_says_why() -> None:
    """An unreadable Deployment does not count as scaled to zero."""
    (result,) = results(CHECK, hide(healthy_mesh(), "west", "scaled", "the API answered 403 Forbidden"), "west")
    assert (result.state, result.cause) == (CheckState.FAILED, None)
    assert result.seen == "could not be read: the API answered 403 Forbidden"
