"""Whether the API server answers."""

from collections.abc import Iterator

from ops.verify.check import Cause, Check, CheckState, Result, Subject

_REPAIR = "Check that the API server runs, and that its address and credential are right"

API_UNREACHABLE = Cause(
    name="API server not reachable",
    meaning="A cluster's API server gives no answer, or refuses the credential, so nothing in the cluster is verified.",
    remedy=f"{_REPAIR}. Or set `clusters[i].away` to true and run `pulumi up`: it moves the traffic",
    rank=1,
)


def _evaluate(subject: Subject) -> Iterator[Result]:
    cluster = subject.cluster
    seen = cluster.error or f"Kubernetes {cluster.kubernetes}"
    away = f"set {cluster.key}.away to true and run `pulumi up`: it moves the traffic without {cluster.name}"
    yield Result(
        state=CheckState.of(passed=not cluster.error),
        seen=seen,
        cause=API_UNREACHABLE if cluster.error else None,
        evidence=cluster.error,
        remedy=f"{_REPAIR}. Or {away}" if cluster.error else None,
    )


CHECK = Check(
    id="api-reachable",
    meaning="The cluster's API server answers.",
    order=10,
    column="API",
    evaluate=_evaluate,
    causes=(API_UNREACHABLE,),
    is_gate=True,
)
