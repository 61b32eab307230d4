"""Whether istiod runs."""

from collections.abc import Iterator

from mesh import names
from ops.cluster.views import Workload
from ops.verify.check import Check, CheckState, Result, Subject
from ops.verify.checks.deployments_scaled import ISTIOD_DEPLOYMENT, SCALED, scaled
from ops.verify.facts import Fact, Inspection


def _read(inspection: Inspection) -> Workload | None:
    return inspection.api.deployment(names.ISTIO_NAMESPACE, "istiod")


ISTIOD: Fact[Workload | None] = Fact(name="istiod", read=_read, unknown=None)


def _evaluate(subject: Subject) -> Iterator[Result]:
    istiod = subject.cluster.get(ISTIOD)
    ready = istiod is not None and 0 < istiod.wanted <= istiod.ready
    yield Result(
        state=CheckState.of(passed=ready),
        seen=str(istiod or "no Deployment"),
        depends_on=scaled(subject.cluster, ISTIOD_DEPLOYMENT),
    )


CHECK = Check(
    id="istiod-ready",
    meaning="All pods of istiod are ready.",
    order=20,
    column="istiod",
    needs=(ISTIOD,),
    uses=(SCALED,),
    evaluate=_evaluate,
    hint="Look at the pods and the log of Deployment istiod in istio-system",
)
