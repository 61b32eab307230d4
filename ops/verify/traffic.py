"""Request loops against the weight: the report's rows, and what both checks of traffic make of them."""

from collections.abc import Iterator

from config.schema import Settings
from ops.traffic import audiences, split
from ops.traffic.source import TrafficSource
from ops.verify.check import CheckState, Result, Subject
from ops.verify.facts import TrafficFacts
from ops.verify.report import Traffic


def row(loop: TrafficFacts, settings: Settings) -> Traffic:
    """Compare one request loop with the weight that config gives to its requests."""
    tally, weight = loop.tally, audiences.wanted(settings, loop.cluster, loop.audience)
    return Traffic(
        cluster=loop.cluster,
        source=loop.source,
        audience=loop.audience,
        url=loop.url,
        requests=tally.requests,
        v1=tally.versions["v1"],
        v2=tally.versions["v2"],
        failed=tally.failed,
        v1_share=tally.share("v1"),
        v2_share=tally.share("v2"),
        v2_expected=weight / 100,
        bound=split.bound(weight, tally.requests),
        instances=len(tally.instances),
        errors=dict(tally.errors.most_common()),
        ok=not loop.error and split.holds(tally, weight),
    )


def evaluate(subject: Subject, source: TrafficSource) -> Iterator[Result]:
    """Judge a cluster's loops from one source; any cause in the mesh explains a failure."""
    for loop in subject.mesh.traffic:
        if (loop.cluster, loop.source) == (subject.cluster.name, source):
            found = row(loop, subject.settings)
            state, seen = CheckState.of(passed=found.ok), loop.error or _describe(found)
            yield Result(state=state, seen=seen, depends_on=None)


def _describe(found: Traffic) -> str:
    errors = ", ".join(f"{count} x {error}" for error, count in found.errors.items())
    return (
        (f"audience {found.audience}, " if found.audience else "")
        + f"{found.requests} requests: v1 {found.v1}, v2 {found.v2}, failed {found.failed}"
        + (f" ({errors})" if errors else "")
        + f"; v2 {found.v2_share:.1%}, wanted {found.v2_expected:.1%} +-{found.bound:.1%}"
    )
