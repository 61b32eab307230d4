"""Whether the client pod runs, from which requests are sent."""

from collections.abc import Iterator

from mesh import names
from ops.verify.check import Check, CheckState, Result, Subject
from ops.verify.checks.deployments_scaled import ISTIOD_DEPLOYMENT, SCALED, scaled


def _evaluate(subject: Subject) -> Iterator[Result]:
    client = subject.mesh.clients.get(subject.cluster.name)
    if client is not None:
        yield Result(
            state=CheckState.of(passed=not client.error),
            seen=client.error or "ready",
            # Without istiod no pod gets a sidecar.
            depends_on=scaled(subject.cluster, ISTIOD_DEPLOYMENT),
        )


CHECK = Check(
    id="client-pod",
    meaning="A client pod runs in the cluster and can be queried.",
    order=100,
    uses=(SCALED,),
    evaluate=_evaluate,
    hint=f"Look at the events of namespace {names.APP_NAMESPACE}; the image mcsps:verify.clientImage must be available",
)
