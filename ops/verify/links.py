"""Links: how a cluster's istiod reads a peer, by the remote secret and by what istiod itself reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, TypeAdapter

from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.verify import remote
from ops.verify.check import REFRESH, Cause, Place, Subject
from ops.verify.facts import Fact, Inspection
from ops.verify.remote import WRONG_CREDENTIALS, CredentialState, ProbeResult

SYNCED = "synced"
_EXEC_SECONDS = 20.0
_ISTIOD = "istiod"

_RESTART = (
    "Then restart the istiod that reads the peer: one whose connection has failed may ignore later changes of the "
    "secret"
)
CREDENTIAL_WRONG = Cause(
    name="the remote secret's token or CA wrong",
    meaning="The peer's API server refuses the token, or its certificate does not fit the CA.",
    remedy=(
        f"{REFRESH} rewrites the remote secret. For a new token raise `links.tokenGeneration`, or "
        "`rancher.tokenGeneration` where links use Rancher's tokens. The CA must be that of the server which the "
        f"secret names: Rancher's, behind Rancher's proxy. {_RESTART}"
    ),
    rank=50,
)
REMOTE_NOT_SYNCED = Cause(
    name="remote cluster not synced",
    meaning="An istiod cannot read a peer, or has no remote secret for it.",
    remedy=(
        f"{REFRESH} recreates the remote secret. If it exists and has its label, check whether istiod's pod reaches "
        f"the server that it names (`peerServer`), and read istiod's log. {_RESTART}"
    ),
    rank=50,
)


@dataclass(frozen=True, kw_only=True)
class RemoteFacts:
    """
    How one cluster reads a peer.

    Attributes:
        sync: The peer's status in the cluster's istiod; empty where istiod could not be queried.
        query_error: Why it could not.
    """

    peer: str
    credential: CredentialState
    detail: str = ""
    sync: str = ""
    query_error: str = ""


def link_cause(subject: Subject, link: RemoteFacts) -> Cause | None:
    """Return why a cluster does not read a peer, if that is certain."""
    if link.credential in WRONG_CREDENTIALS:
        return CREDENTIAL_WRONG
    if link.credential in {CredentialState.ABSENT, CredentialState.UNLABELLED}:
        return REMOTE_NOT_SYNCED
    # Where the peer's API is down, the link is not to blame.
    peer_answers = any(cluster.name == link.peer for cluster in subject.mesh.reached)
    return REMOTE_NOT_SYNCED if link.sync not in {SYNCED, ""} and peer_answers else None


def evidence(link: RemoteFacts) -> str:
    """Return what shows a link's cause."""
    secret = f"remote secret: {link.credential} ({link.detail})"
    return f"istiod says {link.sync}; {secret}" if link.sync else secret


def place(subject: Subject, link: RemoteFacts) -> frozenset[Place]:
    """Return the link as a place."""
    return frozenset({(subject.cluster.name, link.peer)})


class _RemoteCluster(BaseModel):
    """An entry of istiod's /debug/clusterz."""

    id: str
    syncStatus: str  # noqa: N815 - istiod's spelling


_CLUSTERS = TypeAdapter(tuple[_RemoteCluster, ...])


def parse_clusterz(text: str) -> Mapping[str, str]:
    """
    Read the sync status by cluster from istiod's answer.

    Raises:
        ValueError: It is not istiod's answer.
    """
    return {entry.id: entry.syncStatus for entry in _CLUSTERS.validate_json(text)}


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """
    What one istiod reports of its remote clusters.

    Attributes:
        error: Why there is no report.
    """

    statuses: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def _read(inspection: Inspection) -> tuple[RemoteFacts, ...]:
    api, peers = inspection.api, inspection.peers
    if not peers:
        return ()
    probes = {peer: _probe(api, peer) for peer in peers}

    def look() -> tuple[RemoteFacts, ...]:
        reports = _query_istiods(api)
        return tuple(_remote(peer, probes[peer], reports) for peer in peers)

    # A peer may just have been linked, so istiod gets time to read it.
    return inspection.poller.until(lambda links: all(link.sync == SYNCED for link in links), look)


_NO_LINKS: tuple[RemoteFacts, ...] = ()
REMOTES = Fact(name="remotes", read=_read, unknown=_NO_LINKS)


def _probe(api: ClusterApi, peer: str) -> ProbeResult:
    try:
        return remote.probe(api, peer)
    except ApiError as error:
        return ProbeResult(credential=CredentialState.NOT_READ, detail=str(error))


def _query_istiods(api: ClusterApi) -> tuple[SyncReport, ...]:
    try:
        pods = api.pods(names.ISTIO_NAMESPACE, f"app={_ISTIOD}")
    except ApiError as error:
        return (SyncReport(error=str(error)),)
    return tuple(_query_istiod(api, pod.name) for pod in pods if pod.ready)


def _query_istiod(api: ClusterApi, pod: str) -> SyncReport:
    command = ["pilot-discovery", "request", "GET", "/debug/clusterz"]
    try:
        done = api.execute(names.ISTIO_NAMESPACE, pod, "discovery", command, _EXEC_SECONDS)
    except ApiError as error:
        return SyncReport(error=str(error))
    try:
        return SyncReport(statuses=parse_clusterz(done.stdout))
    except ValueError:
        reason = done.error or "its answer has another form"
        return SyncReport(error=f"{pod} gave no list of clusters: {reason}")


def _remote(peer: str, probed: ProbeResult, reports: tuple[SyncReport, ...]) -> RemoteFacts:
    """Let the worst report count: one istiod that does not read a peer leaves its proxies without it."""
    facts = RemoteFacts(peer=peer, credential=probed.credential, detail=probed.detail)
    statuses = [report.statuses.get(peer, "not known to it") for report in reports if not report.error]
    errors = [report.error for report in reports if report.error]
    unsynced = [status for status in statuses if status != SYNCED]
    if unsynced:
        return replace(facts, sync=unsynced[0])
    if errors or not statuses:
        return replace(facts, query_error="; ".join(errors) or "no istiod is ready")
    return replace(facts, sync=SYNCED)
