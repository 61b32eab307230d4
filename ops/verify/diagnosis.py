"""
Evaluates the checks, and finds in their results which failures are causes and which follow from one.

Pure: everything is in the facts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.schema import Settings
from ops.verify import traffic
from ops.verify.check import WHOLE_MESH, Cause, Check, CheckState, Place, Result, Subject, unless_unread
from ops.verify.checks import CHECKS
from ops.verify.facts import MeshFacts
from ops.verify.report import CheckResult, NamedCause, Report


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One cause, and where it is; several results may show it."""

    cause: Cause
    place: Place
    seen: str
    remedy: str

    def explains(self, result: Result) -> bool:
        """Return whether a failure follows from this cause."""
        return result.depends_on is None or self.place in result.depends_on


@dataclass(frozen=True, kw_only=True)
class _Located:
    """A result, its check and its cluster."""

    check: Check
    cluster: str
    result: Result

    @property
    def finding(self) -> Finding | None:
        """The cause that it shows."""
        cause = self.result.cause
        if cause is None:
            return None
        place = WHOLE_MESH if cause.of_mesh else (self.cluster, self.result.peer)
        remedy = self.result.remedy or cause.remedy
        return Finding(cause=cause, place=place, seen=self.result.evidence, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All results with their explanations, and all causes, the most fundamental first."""

    checks: tuple[CheckResult, ...]
    causes: tuple[NamedCause, ...]


def conclude(mesh: MeshFacts, settings: Settings, *, stack: str, requests: int, away: tuple[str, ...] = ()) -> Report:
    """Put the report together; `settings` and `mesh` are without the clusters that are away."""
    diagnosis = diagnose(mesh, settings)
    return Report(
        stack=stack,
        mesh=settings.mesh.id,
        v2_weight=settings.v2_weight,
        requests=requests,
        away=away,
        checks=diagnosis.checks,
        traffic=tuple(traffic.row(loop, settings) for loop in mesh.traffic),
        causes=diagnosis.causes,
    )


def diagnose(mesh: MeshFacts, settings: Settings, checks: Sequence[Check] = CHECKS) -> Diagnosis:
    """Evaluate the checks in every cluster, and explain the failures."""
    subjects = (Subject(cluster=cluster, mesh=mesh, settings=settings) for cluster in mesh.clusters)
    found = [result for subject in subjects for result in _evaluate(subject, checks)]
    # What depends on the whole mesh comes last.
    results = sorted(found, key=lambda each: each.result.depends_on is None)
    findings = _findings(results, [cluster.name for cluster in mesh.clusters])
    closed = {each.cluster: each.check.id for each in results if each.check.is_gate and _is_failed(each.result)}
    explained = [(each, _explain(each, findings, closed.get(each.result.peer or ""))) for each in results]
    causes = tuple(_name(finding, findings, explained) for finding in findings)
    return Diagnosis(checks=tuple(entry for _, entry in explained), causes=causes)


def _evaluate(subject: Subject, checks: Sequence[Check]) -> Iterator[_Located]:
    is_open = True
    for check in checks:
        # In a live cluster every fact was tried; a test leaves out what it is not about.
        if check.is_gate or (is_open and all(map(subject.cluster.was_tried, check.needs))):
            for result in check.evaluate(subject):
                known = result if result.peer else unless_unread(result, subject.cluster, *check.needs)
                is_open = is_open and not (check.is_gate and _is_failed(known))
                yield _Located(check=check, cluster=subject.cluster.name, result=known)


def _findings(results: Sequence[_Located], order: Sequence[str]) -> list[Finding]:
    found = dict.fromkeys(each.finding for each in results if each.finding)

    def rank(finding: Finding) -> tuple[int, list[int]]:
        return finding.cause.rank, [order.index(name) for name in finding.place if name]

    return sorted(found, key=rank)


def _explain(located: _Located, findings: Sequence[Finding], closed_by: str | None) -> CheckResult:
    result, cause = located.result, located.result.cause
    cause_name, consequence_of, remedy = None, None, result.remedy
    if cause:
        cause_name, remedy = cause.name, remedy or cause.remedy
    elif _is_failed(result):
        behind = next((finding for finding in findings if finding.explains(result)), None)
        consequence_of = behind.cause.name if behind else closed_by
        remedy = remedy or (None if consequence_of else located.check.hint or None)
    return CheckResult(
        id=located.check.id,
        cluster=located.cluster,
        peer=result.peer,
        state=result.state,
        seen=result.seen,
        cause=cause_name,
        consequence_of=consequence_of,
        remedy=remedy,
    )


def _name(
    finding: Finding, findings: Sequence[Finding], explained: Sequence[tuple[_Located, CheckResult]]
) -> NamedCause:
    is_first = finding is next(other for other in findings if other.cause is finding.cause)
    return NamedCause(
        cause=finding.cause.name,
        cluster=finding.place[0],
        peer=finding.place[1],
        seen=finding.seen,
        remedy=finding.remedy,
        consequences=tuple(
            entry.place
            for located, entry in explained
            if entry.consequence_of == finding.cause.name
            and finding.explains(located.result)
            # What depends on the whole mesh is listed once.
            and (is_first or located.result.depends_on is not None)
        ),
    )


def _is_failed(result: Result) -> bool:
    return result.state is CheckState.FAILED
