"""
From what was seen to why it does not work: a pure function, and a closed list of causes.

A cause that brings another about is named alone; the other is shown as its consequence by
`ops.verify.run.conclude`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mesh import names
from ops.verify import gateways
from ops.verify.consistency import Difference, differences
from ops.verify.facts import SYNCED, WRONG_CREDENTIALS, ClusterFacts, Credential, MeshFacts, RemoteFacts
from ops.verify.trust import distrust

_SHOWN = 4
"""So many differences are told one by one."""


class Cause(StrEnum):
    """Why clusters that are installed do not answer each other."""

    ROOTS_DIFFER = "roots differ"
    GATEWAY_UNREACHABLE = "east-west gateway unreachable"
    NETWORK_LABEL_MISSING = "network label missing"
    REMOTE_NOT_SYNCED = "remote cluster not synced"
    SERVICE_ABSENT = "Service absent in one cluster"
    CLUSTERS_DIFFER = "clusters differ"
    CREDENTIAL_WRONG = "the remote secret's token or CA wrong"


_UP = "`pulumi up --refresh`"
"""Without a refresh Pulumi compares with its state alone, and what was changed in a cluster stays so."""
REMEDIES = {
    Cause.ROOTS_DIFFER: (
        f"{_UP} signs every cluster's intermediate by one root; then restart istiod, and after it the gateways and "
        "pods that hold certificates of another"
    ),
    Cause.GATEWAY_UNREACHABLE: (
        f"see that {names.EASTWEST_GATEWAY} has ready pods, that its Service has an address and leads to port "
        f"{names.CROSS_NETWORK_PORT}, and that Gateway {names.CROSS_NETWORK_GATEWAY} is there: {_UP} puts these right; "
        f"firewalls must let port {names.CROSS_NETWORK_PORT} in from every peer"
    ),
    Cause.NETWORK_LABEL_MISSING: (
        f"{_UP} labels namespace {names.ISTIO_NAMESPACE} and Service {names.EASTWEST_GATEWAY} with their cluster's "
        f"{names.NETWORK_LABEL}"
    ),
    Cause.REMOTE_NOT_SYNCED: (
        f"{_UP} makes the remote secret again; if it is there and labelled, see whether istiod's pod reaches the "
        "server that it names (`peerServer`), and istiod's log"
    ),
    Cause.SERVICE_ABSENT: f"{_UP} makes Service {names.HELLOWORLD} in namespace {names.APP_NAMESPACE} again",
    Cause.CLUSTERS_DIFFER: (
        f"{_UP} makes what is the stack's in namespace {names.APP_NAMESPACE} the same again; the rest belongs in every "
        "cluster or in none"
    ),
    Cause.CREDENTIAL_WRONG: (
        f"{_UP} writes the remote secret again; for a new token raise `links.tokenGeneration`, or "
        "`rancher.tokenGeneration` where links use Rancher's tokens; the CA must be that of the server which the "
        "secret names: Rancher's, behind Rancher's proxy"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """
    One cause, and where it sits.

    Attributes:
        cluster: Where it is to be mended; `None` for the mesh as a whole.
        peer: The other end, where the cause belongs to a link.
    """

    cause: Cause
    cluster: str | None
    peer: str | None = None
    seen: str


def diagnose(facts: MeshFacts) -> tuple[Finding, ...]:
    """Name the causes in the facts, the most fundamental first, none that another explains."""
    seen = tuple(cluster for cluster in facts.clusters if not cluster.error)
    return (
        *_roots(facts),
        *_labels(seen),
        *_services(seen),
        *_unlike(facts),
        *_links(seen),
        *_gateways(facts, seen),
    )


def mislabelled(cluster: ClusterFacts) -> tuple[str, ...]:
    """Say what has not the network's label: the namespace, or the Service at which peers find the gateway."""
    labels: dict[str, str | None] = {}
    if "network_label" not in cluster.read_errors:
        labels[f"namespace {names.ISTIO_NAMESPACE}"] = cluster.network_label
    if cluster.gateway.service:
        labels[f"Service {names.EASTWEST_GATEWAY}"] = cluster.gateway.service.labels.get(names.NETWORK_LABEL)
    return tuple(
        f"{labelled} has {label or 'none'}, wanted is {cluster.network}"
        for labelled, label in labels.items()
        if label != cluster.network
    )


def unlike(facts: MeshFacts) -> tuple[Difference, ...]:
    """Say where clusters differ that were seen; that a cluster lacks Service helloworld is a cause of its own."""
    seen = {each.name: each.shared for each in facts.clusters if not each.error and "shared" not in each.read_errors}
    service = f"Service {names.APP_NAMESPACE}/{names.HELLOWORLD}"
    lacking = any(not each.service.present for each in facts.clusters if each.name in seen)
    return tuple(found for found in differences(seen) if not (lacking and found.place == service))


def _unlike(facts: MeshFacts) -> Iterator[Finding]:
    found = unlike(facts)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield Finding(cause=Cause.CLUSTERS_DIFFER, cluster=None, seen="; ".join(map(str, found[:_SHOWN])) + more)


def _roots(facts: MeshFacts) -> Iterator[Finding]:
    seen = distrust(facts)
    if seen:
        yield Finding(cause=Cause.ROOTS_DIFFER, cluster=None, seen=seen)


def _labels(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        wrong = mislabelled(cluster)
        if wrong:
            yield Finding(cause=Cause.NETWORK_LABEL_MISSING, cluster=cluster.name, seen="; ".join(wrong))


def _services(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        if not cluster.service.present and "service" not in cluster.read_errors:
            yield Finding(cause=Cause.SERVICE_ABSENT, cluster=cluster.name, seen=cluster.service.detail)


def _links(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    answering = {cluster.name for cluster in clusters}
    for cluster in clusters:
        for remote in cluster.remotes:
            cause = _link_cause(remote, peer_answers=remote.peer in answering)
            if cause:
                yield Finding(cause=cause, cluster=cluster.name, peer=remote.peer, seen=_link_seen(remote))


def _link_cause(remote: RemoteFacts, *, peer_answers: bool) -> Cause | None:
    if remote.credential in WRONG_CREDENTIALS:
        return Cause.CREDENTIAL_WRONG
    if remote.credential in {Credential.ABSENT, Credential.UNLABELLED}:
        return Cause.REMOTE_NOT_SYNCED
    # A peer whose API is down is nobody's link gone wrong.
    if remote.sync not in {SYNCED, ""} and peer_answers:
        return Cause.REMOTE_NOT_SYNCED
    return None


def _link_seen(remote: RemoteFacts) -> str:
    secret = f"remote secret: {remote.credential} ({remote.detail})"
    return f"istiod says {remote.sync}; {secret}" if remote.sync else secret


def _gateways(facts: MeshFacts, clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        if not cluster.shows_gateway:
            continue
        gateway, verdict = cluster.gateway, gateways.judge(facts, cluster)
        if not gateway.workload or not gateway.workload.ready:
            seen = "no ready pod"
        elif not gateway.addresses:
            seen = "its Service has no address"
        elif verdict.unreached:
            seen = "; ".join(verdict.unreached)
        # A refused certificate looks like a refused connection to a sidecar.
        elif verdict.barred and not distrust(facts):
            seen = f"it takes connections, and lets none through of the sidecars of {', '.join(verdict.barred)}"
        else:
            continue
        yield Finding(cause=Cause.GATEWAY_UNREACHABLE, cluster=cluster.name, seen=seen)
