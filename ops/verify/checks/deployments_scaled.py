"""Whether a Deployment that the mesh needs is scaled to zero."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.schema import Installer, Settings
from mesh import gateways, names
from ops.verify.check import REFRESH, Cause, Check, CheckState, Place, Result, Subject
from ops.verify.facts import ClusterFacts, Fact, Inspection

ISTIOD_DEPLOYMENT = "istiod"

SCALED_TO_ZERO = Cause(
    name="scaled to zero",
    meaning="A Deployment of istiod, a gateway or helloworld is scaled to 0 replicas, so it has no pods.",
    remedy=(
        "If a HorizontalPodAutoscaler targets the Deployment, run `kubectl scale deployment/<name> --replicas=1`: "
        "Kubernetes does not autoscale from 0, and the stack states no count that Pulumi could restore. Otherwise "
        f"{REFRESH} restores the count that the stack states"
    ),
    rank=5,
)


@dataclass(frozen=True, kw_only=True)
class ScaledDeployment:
    """
    A Deployment that wants no pods.

    Attributes:
        autoscaled: Whether a HorizontalPodAutoscaler targets it.
    """

    namespace: str
    name: str
    autoscaled: bool


def _read(inspection: Inspection) -> tuple[ScaledDeployment, ...]:
    api = inspection.api
    needed = {
        names.ISTIO_NAMESPACE: [ISTIOD_DEPLOYMENT, *(gateway.release for gateway in gateways.GATEWAYS)],
        names.APP_NAMESPACE: [names.version_deployment(version) for version in map(str, inspection.cluster.versions)],
    }
    found = []
    for namespace, deployments in needed.items():
        views = {name: api.deployment(namespace, name) for name in deployments}
        scaled = [name for name, view in views.items() if view and view.wanted == 0]
        autoscaled = api.autoscaled(namespace) if scaled else frozenset()
        found += [ScaledDeployment(namespace=namespace, name=name, autoscaled=name in autoscaled) for name in scaled]
    return tuple(found)


_NONE: tuple[ScaledDeployment, ...] = ()
SCALED: Fact[tuple[ScaledDeployment, ...]] = Fact(name="scaled", read=_read, unknown=_NONE)
"""The Deployments that are scaled to zero."""


def scaled(cluster: ClusterFacts, deployment: str) -> frozenset[Place]:
    """Return the place whose cause explains that a Deployment of Istio has no pods; empty if it is not scaled to 0."""
    is_scaled = any(each.name == deployment for each in cluster.get(SCALED))
    return frozenset({(cluster.name, None)}) if is_scaled else frozenset()


def _evaluate(subject: Subject) -> Iterator[Result]:
    found = subject.cluster.get(SCALED)
    if not found:
        yield Result(state=CheckState.PASSED, seen="none")
    for deployment in found:
        seen = f"Deployment {deployment.namespace}/{deployment.name} is scaled to 0"
        yield Result(
            state=CheckState.FAILED,
            seen=seen,
            cause=SCALED_TO_ZERO,
            evidence=seen,
            remedy=_remedy(deployment, subject.settings),
        )


def _remedy(deployment: ScaledDeployment, settings: Settings) -> str:
    command = f"`kubectl scale deployment/{deployment.name} --namespace {deployment.namespace} --replicas=1`"
    if deployment.autoscaled:
        return (
            f"Run {command} in that cluster: Kubernetes does not autoscale from 0, and the stack states no count that "
            "Pulumi could restore"
        )
    if deployment.namespace == names.ISTIO_NAMESPACE and settings.istio.installer is Installer.OPERATOR:
        return f"Run {command} in that cluster: the operator owns the Deployment, and the stack states no count"
    return f"{REFRESH} restores the count that the stack states"


CHECK = Check(
    id="deployments-scaled",
    meaning="No Deployment of istiod, a gateway or helloworld is scaled to zero.",
    order=15,
    needs=(SCALED,),
    evaluate=_evaluate,
    causes=(SCALED_TO_ZERO,),
)
