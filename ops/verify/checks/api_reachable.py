"""Whether the API server answers."""

from collections.abc import Iterator

from ops.verify.check import Check, CheckState, Result, Subject


def _evaluate(subject: Subject) -> Iterator[Result]:
    cluster = subject.cluster
    seen = cluster.error or f"Kubernetes {cluster.kubernetes}"
    yield Result(state=CheckState.of(passed=not cluster.error), seen=seen)


CHECK = Check(
    id="api-reachable",
    meaning="The cluster's API server answers.",
    order=10,
    column="API",
    evaluate=_evaluate,
    hint=(
        "Check that the API server runs, and that its address and credential are right. To move the traffic without "
        "the cluster, set its key `away` to true and run `pulumi up`"
    ),
    is_gate=True,
)
