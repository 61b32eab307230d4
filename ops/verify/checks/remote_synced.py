"""Whether istiod reads its peers."""

from collections.abc import Iterator

from ops.verify.check import Check, CheckState, Result, Subject
from ops.verify.checks.deployments_scaled import ISTIOD_DEPLOYMENT, SCALED, scaled
from ops.verify.links import REMOTE_NOT_SYNCED, REMOTES, SYNCED, evidence, link_cause, place


def _evaluate(subject: Subject) -> Iterator[Result]:
    for link in subject.cluster.get(REMOTES):
        passed = link.sync == SYNCED
        # A wrong credential shows in the remote secret; that istiod does not sync follows from it.
        is_shown = not passed and link_cause(subject, link) is REMOTE_NOT_SYNCED
        yield Result(
            state=CheckState.of(passed=passed),
            seen=link.sync or f"istiod could not be queried: {link.query_error}",
            peer=link.peer,
            cause=REMOTE_NOT_SYNCED if is_shown else None,
            evidence=evidence(link),
            depends_on=place(subject, link) | scaled(subject.cluster, ISTIOD_DEPLOYMENT),
        )


CHECK = Check(
    id="remote-synced",
    meaning="Every istiod of the cluster reports each peer as synced.",
    order=90,
    column="synced",
    needs=(REMOTES,),
    uses=(SCALED,),
    evaluate=_evaluate,
    causes=(REMOTE_NOT_SYNCED,),
    hint="Check whether istiod runs",
)
