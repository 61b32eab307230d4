"""Puts checks and causes together: which check shows a cause, which is only its consequence. Pure."""

from collections.abc import Collection, Iterable

from config.schema import Settings
from ops.verify.causes import REMEDIES, Cause, Finding, diagnose
from ops.verify.checks import check_all, traffic_row
from ops.verify.facts import MeshFacts
from ops.verify.report import Check, CheckId, NamedCause, Report, State

_WITNESSES = {
    Cause.ROOTS_DIFFER: {CheckId.MESH_ROOT},
    Cause.GATEWAY_UNREACHABLE: {CheckId.GATEWAY},
    Cause.NETWORK_LABEL_MISSING: {CheckId.NETWORK_LABEL},
    Cause.REMOTE_NOT_SYNCED: {CheckId.REMOTE_SYNCED, CheckId.REMOTE_SECRET},
    Cause.SERVICE_ABSENT: {CheckId.SERVICE},
    Cause.CLUSTERS_DIFFER: {CheckId.SAMENESS},
    Cause.CREDENTIAL_WRONG: {CheckId.REMOTE_SECRET},
}
_TRAFFIC = {CheckId.TRAFFIC_INGRESS, CheckId.TRAFFIC_CLIENT}
_OF_LINKS = {CheckId.REMOTE_SYNCED, CheckId.ENDPOINTS, CheckId.CROSSING}
HINTS = {
    CheckId.API: "see that the API server runs and that its address and credential are right",
    CheckId.ISTIOD: "see the pods and the log of Deployment istiod in istio-system",
    CheckId.MESH_ROOT: "see whether istiod runs: it writes ConfigMap istio-ca-root-cert",
    CheckId.CLIENT: "see the events of namespace sample; mcsps:verify.clientImage must be at hand",
    CheckId.ENDPOINTS: "see `istioctl proxy-status` and istiod's log",
    CheckId.CROSSING: "see the logs of the client pod's sidecar and of the peer's east-west gateway",
    CheckId.REMOTE_SECRET: "see whether istiod runs, and whether the server that the secret names is the peer's API",
    CheckId.REMOTE_SYNCED: "see whether istiod runs",
    CheckId.TRAFFIC_INGRESS: "see the gateway's log",
    CheckId.TRAFFIC_CLIENT: "see the sidecar's log",
}


def conclude(facts: MeshFacts, settings: Settings, *, stack: str, requests: int) -> Report:
    """Judge all that was seen."""
    findings = diagnose(facts)
    silent = {cluster.name for cluster in facts.clusters if cluster.error}
    checks = tuple(_explain(check, findings, silent) for check in check_all(facts, settings))
    return Report(
        stack=stack,
        mesh=settings.mesh.id,
        v2_weight=settings.v2_weight,
        requests=requests,
        checks=checks,
        traffic=tuple(traffic_row(traffic, settings) for traffic in facts.traffic),
        causes=tuple(_name(finding, findings, checks) for finding in findings),
    )


def _explain(check: Check, findings: Iterable[Finding], silent: Collection[str]) -> Check:
    shown = next((finding for finding in findings if _witnesses(check, finding)), None)
    if shown:
        # A check that passed has seen nothing wrong itself: then the sidecars have.
        seen = f"{check.seen}, but {shown.seen}" if check.state is State.PASSED else check.seen
        remedy = REMEDIES[shown.cause]
        return check.model_copy(update={"state": State.FAILED, "seen": seen, "cause": shown.cause, "remedy": remedy})
    if check.state is not State.FAILED:
        return check
    behind = next((finding for finding in findings if _follows(check, finding)), None)
    if behind:
        return check.model_copy(update={"consequence_of": behind.cause})
    if check.peer in silent:
        return check.model_copy(update={"consequence_of": CheckId.API})
    return check.model_copy(update={"remedy": check.remedy or HINTS.get(check.id)})


def _witnesses(check: Check, finding: Finding) -> bool:
    if check.id not in _WITNESSES[finding.cause]:
        return False
    if finding.cluster not in {None, check.cluster} or finding.peer != check.peer:
        return False
    # A gateway that takes a connection may still let no sidecar through.
    return check.state is not State.PASSED or finding.cause is Cause.GATEWAY_UNREACHABLE


def _follows(check: Check, finding: Finding) -> bool:
    if check.id in _TRAFFIC:
        return True
    if check.id not in _OF_LINKS:
        return False
    if finding.peer is not None:
        return (check.cluster, check.peer) == (finding.cluster, finding.peer)
    if check.id is CheckId.CROSSING:
        return finding.cluster in {None, check.cluster, check.peer}
    return check.id is CheckId.ENDPOINTS and finding.cluster == (check.peer or check.cluster)


def _name(finding: Finding, findings: Iterable[Finding], checks: Iterable[Check]) -> NamedCause:
    first = {other.cause: other for other in reversed(tuple(findings))}
    return NamedCause(
        cause=finding.cause,
        cluster=finding.cluster,
        peer=finding.peer,
        seen=finding.seen,
        remedy=REMEDIES[finding.cause],
        consequences=tuple(
            place(check)
            for check in checks
            if check.consequence_of is finding.cause
            and _follows(check, finding)
            and (check.id not in _TRAFFIC or first[finding.cause] is finding)
        ),
    )


def place(check: Check) -> str:
    """Say in short which check, and where."""
    where = f"{check.cluster} of {check.peer}" if check.peer else check.cluster
    return f"{check.id} in {where}"
