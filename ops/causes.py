"""
From what was seen to why it does not work: a pure function, and a closed list of causes.

A cause that brings another about is named alone; the other is shown as its consequence by
`ops.checks`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from components import _names as names
from ops.facts import (
    SYNCED,
    WRONG_CREDENTIALS,
    ClusterFacts,
    Credential,
    MeshFacts,
    RemoteFacts,
)


class Cause(StrEnum):
    """Why clusters that are installed do not answer each other."""

    ROOTS_DIFFER = "roots differ"
    GATEWAY_UNREACHABLE = "east-west gateway unreachable"
    NETWORK_LABEL_MISSING = "network label missing"
    REMOTE_NOT_SYNCED = "remote cluster not synced"
    SERVICE_ABSENT = "Service absent in one cluster"
    CREDENTIAL_WRONG = "the remote secret's token or CA wrong"


REMEDIES = {
    Cause.ROOTS_DIFFER: (
        "sign every cluster's intermediate by one root: run `pulumi up`, then restart istiod, "
        "the gateways and the workloads where the root was another"
    ),
    Cause.GATEWAY_UNREACHABLE: (
        f"see that {names.EASTWEST_GATEWAY} has ready pods and an address, and that firewalls let "
        f"port {names.CROSS_NETWORK_PORT} in from every peer"
    ),
    Cause.NETWORK_LABEL_MISSING: (
        f"label namespace {names.ISTIO_NAMESPACE} with {names.NETWORK_LABEL}=<network>: `pulumi up --refresh` does it"
    ),
    Cause.REMOTE_NOT_SYNCED: (
        "see that the remote secret is there and labelled, and that istiod's pod reaches the "
        "server that it names; istiod's log says more"
    ),
    Cause.SERVICE_ABSENT: (
        f"create Service {names.HELLOWORLD} in namespace {names.APP_NAMESPACE} of every cluster: "
        "`pulumi up --refresh` does it"
    ),
    Cause.CREDENTIAL_WRONG: (
        "renew the link: `pulumi up --refresh`, or raise mcsps:links.tokenGeneration; the CA must "
        "be that of the server which the secret names (Rancher's, behind Rancher's proxy)"
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
        *_roots(seen),
        *_labels(seen),
        *_services(seen),
        *_links(seen),
        *_gateways(facts, seen),
    )


def _roots(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    holders: dict[str, list[str]] = defaultdict(list)
    for cluster in clusters:
        for namespace, roots in cluster.roots.items():
            short = "+".join(sorted(root[:12] for root in roots))
            holders[short].append(f"{cluster.name}/{namespace}")
    if len(holders) > 1:
        seen = "; ".join(f"{root} in {', '.join(where)}" for root, where in sorted(holders.items()))
        yield Finding(cause=Cause.ROOTS_DIFFER, cluster=None, seen=seen)


def _labels(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        if cluster.network_label != cluster.network:
            yield Finding(
                cause=Cause.NETWORK_LABEL_MISSING,
                cluster=cluster.name,
                seen=f"it is {cluster.network_label or 'missing'}, wanted is {cluster.network}",
            )


def _services(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        if not cluster.service.present:
            yield Finding(cause=Cause.SERVICE_ABSENT, cluster=cluster.name, seen=cluster.service.detail)


def _links(clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        for remote in cluster.remotes:
            cause = _link_cause(remote)
            if cause:
                yield Finding(cause=cause, cluster=cluster.name, peer=remote.peer, seen=_link_seen(remote))


def _link_cause(remote: RemoteFacts) -> Cause | None:
    if remote.credential in WRONG_CREDENTIALS:
        return Cause.CREDENTIAL_WRONG
    unread = remote.credential in {Credential.ABSENT, Credential.UNLABELLED}
    if unread or remote.sync not in {SYNCED, ""}:
        return Cause.REMOTE_NOT_SYNCED
    return None


def _link_seen(remote: RemoteFacts) -> str:
    secret = f"remote secret: {remote.credential} ({remote.detail})"
    return f"istiod says {remote.sync}; {secret}" if remote.sync else secret


def _gateways(facts: MeshFacts, clusters: tuple[ClusterFacts, ...]) -> Iterator[Finding]:
    for cluster in clusters:
        gateway = cluster.gateway
        ready = gateway.workload.ready if gateway.workload else 0
        connected, refused = _sidecars(facts, cluster)
        if not ready:
            seen = "no ready pod"
        elif not gateway.addresses:
            seen = "its Service has no address"
        elif gateway.trouble and not connected:
            seen = f"no connection from here: {gateway.trouble}"
        elif refused and not _roots_apart(clusters):
            seen = f"no connection from the sidecars of {', '.join(refused)}"
        else:
            continue
        yield Finding(cause=Cause.GATEWAY_UNREACHABLE, cluster=cluster.name, seen=seen)


def _sidecars(facts: MeshFacts, target: ClusterFacts) -> tuple[list[str], list[str]]:
    """Tell whose sidecars got answers through a gateway, and whose got only failed connections."""
    connected, refused = [], []
    for client in facts.clients.values():
        through = [
            endpoint
            for endpoint in client.endpoints
            if endpoint.address in target.gateway.resolved and endpoint.port == names.CROSS_NETWORK_PORT
        ]
        if any(endpoint.answered for endpoint in through):
            connected.append(client.cluster)
        elif any(endpoint.connect_failures for endpoint in through):
            refused.append(client.cluster)
    return connected, refused


def _roots_apart(clusters: tuple[ClusterFacts, ...]) -> bool:
    return any(_roots(clusters))
