"""From what was seen to one result for each check. Pure; causes are `ops.verify.run.conclude`'s part."""

from collections.abc import Iterator

from config.schema import Settings
from mesh import names, routing
from ops.cluster.views import Workload
from ops.traffic import audiences, split
from ops.traffic.source import TrafficSource
from ops.verify import endpoints, gateways, trust
from ops.verify.causes import mislabelled, unlike
from ops.verify.facts import (
    SYNCED,
    UNTRIED,
    ClientFacts,
    ClusterFacts,
    Credential,
    MeshFacts,
    RemoteFacts,
    TrafficFacts,
)
from ops.verify.report import Check, CheckId, State, Traffic

_READ_REMEDY = "see that this stack's credential may read it in that cluster"
_TRAFFIC_CHECKS = {TrafficSource.INGRESS: CheckId.TRAFFIC_INGRESS, TrafficSource.CLIENT: CheckId.TRAFFIC_CLIENT}


def check_all(facts: MeshFacts, settings: Settings) -> tuple[Check, ...]:
    """Check every cluster, link and curl loop, against what config wants."""
    checks = [
        check
        for cluster in facts.clusters
        for check in _cluster(cluster, facts, audiences.wanted(settings, cluster.name))
    ]
    return (*checks, *(_traffic_check(traffic_row(traffic, settings), traffic.error) for traffic in facts.traffic))


def traffic_row(traffic: TrafficFacts, settings: Settings) -> Traffic:
    """One curl loop as a row of the report."""
    tally, weight = traffic.tally, audiences.wanted(settings, traffic.cluster, traffic.audience)
    return Traffic(
        cluster=traffic.cluster,
        source=traffic.source,
        audience=traffic.audience,
        url=traffic.url,
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
        ok=not traffic.error and split.holds(tally, weight),
    )


def _cluster(cluster: ClusterFacts, facts: MeshFacts, weight: int) -> Iterator[Check]:
    if cluster.error:
        yield _check(CheckId.API, cluster, cluster.error, passed=False)
        return
    yield _check(CheckId.API, cluster, f"Kubernetes {cluster.kubernetes}", passed=True)
    istiod = cluster.istiod
    ready = istiod is not None and 0 < istiod.wanted <= istiod.ready
    yield _unless_unread(cluster, _check(CheckId.ISTIOD, cluster, _pods(istiod), passed=ready), "istiod")
    yield _unless_unread(cluster, _label(cluster), "network_label")
    yield _unless_unread(cluster, _root(cluster, facts), "roots", "certificates")
    present = cluster.service
    yield _unless_unread(cluster, _check(CheckId.SERVICE, cluster, present.detail, passed=present.present), "service")
    yield _unless_unread(cluster, _sameness(cluster, facts), "shared")
    yield _unless_unread(cluster, _gateway(cluster, facts), "gateway")
    for remote in cluster.remotes:
        yield _remote_secret(cluster, remote)
        yield _remote_synced(cluster, remote)
    yield from _client(cluster, facts, weight)


def _unless_unread(cluster: ClusterFacts, check: Check, *attributes: str) -> Check:
    """Give a check, or why what it is about could not be seen."""
    reasons = [cluster.read_errors[attribute] for attribute in attributes if attribute in cluster.read_errors]
    if not reasons:
        return check
    seen = f"could not be read: {'; '.join(reasons)}"
    return check.model_copy(update={"state": State.FAILED, "seen": seen, "remedy": _READ_REMEDY})


def _label(cluster: ClusterFacts) -> Check:
    wrong = mislabelled(cluster)
    return _check(CheckId.NETWORK_LABEL, cluster, "; ".join(wrong) or cluster.network, passed=not wrong)


def _root(cluster: ClusterFacts, facts: MeshFacts) -> Check:
    missing = [
        namespace for namespace in (names.ISTIO_NAMESPACE, names.APP_NAMESPACE) if not cluster.roots.get(namespace)
    ]
    shown = "; ".join(dict.fromkeys(map(trust.short, cluster.roots.values())))
    seen = f"no root certificate in {', '.join(missing)}" if missing else shown
    return _check(CheckId.MESH_ROOT, cluster, seen, passed=not missing and not trust.distrust(facts))


def _sameness(cluster: ClusterFacts, facts: MeshFacts) -> Check:
    found = [difference for difference in unlike(facts) if difference.cluster == cluster.name]
    seen = str(found[0]) if found else "as in every cluster that was seen"
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    return _check(CheckId.SAMENESS, cluster, seen + more, passed=not found)


def _gateway(cluster: ClusterFacts, facts: MeshFacts) -> Check:
    gateway, verdict = cluster.gateway, gateways.judge(facts, cluster)
    usable = gateway.workload is not None and gateway.workload.ready > 0 and gateway.addresses
    seen = f"{_pods(gateway.workload)}, address {', '.join(gateway.addresses) or 'none'}"
    if not usable:
        state = State.FAILED
    elif verdict.unreached:
        state, seen = State.FAILED, f"{seen}, {'; '.join(verdict.unreached)}"
    elif verdict.doubtful:
        state, seen = State.WARNING, f"{seen}, {'; '.join(verdict.doubtful)}"
    elif verdict.reached:
        state, seen = State.PASSED, f"{seen}, reached from {', '.join(verdict.reached)}"
    else:
        state, seen = State.SKIPPED, f"{seen}, tried by no peer"
    return Check(id=CheckId.GATEWAY, cluster=cluster.name, state=state, seen=seen)


def _remote_secret(cluster: ClusterFacts, remote: RemoteFacts) -> Check:
    if remote.credential is Credential.ACCEPTED:
        state = State.PASSED
    elif remote.credential in UNTRIED and remote.sync == SYNCED:
        state = State.WARNING
    else:
        state = State.FAILED
    return Check(
        id=CheckId.REMOTE_SECRET,
        cluster=cluster.name,
        peer=remote.peer,
        state=state,
        seen=f"{remote.credential}: {remote.detail}",
    )


def _remote_synced(cluster: ClusterFacts, remote: RemoteFacts) -> Check:
    return Check(
        id=CheckId.REMOTE_SYNCED,
        cluster=cluster.name,
        peer=remote.peer,
        state=State.PASSED if remote.sync == SYNCED else State.FAILED,
        seen=remote.sync or f"istiod could not be asked: {remote.query_error}",
    )


def _client(cluster: ClusterFacts, facts: MeshFacts, weight: int) -> Iterator[Check]:
    client = facts.clients.get(cluster.name)
    if client is None:
        return
    yield _check(CheckId.CLIENT, cluster, client.error or "ready", passed=not client.error)
    if client.error:
        return
    for check in endpoints.judge(client, {each.name: each for each in facts.clusters}):
        yield check if check.peer else _unless_unread(cluster, check, "local")
    for peer in facts.clusters:
        if peer is not cluster and peer.versions and peer.shows_gateway:
            yield _crossing(client, peer, facts, weight)


def _crossing(client: ClientFacts, peer: ClusterFacts, facts: MeshFacts, weight: int) -> Check:
    """Tell whether requests were answered through a peer's gateway; without any that must be, nothing is said."""
    elsewhere = {version for cluster in facts.clusters if cluster is not peer for version in cluster.versions}
    wanted = [
        version
        for version, share in routing.weights(weight).items()
        if share and version in peer.versions and version not in elsewhere
    ]
    answered = gateways.answered(client, peer)
    if answered:
        state, seen = State.PASSED, f"{answered} requests answered"
    elif wanted:
        state, seen = State.FAILED, f"no request answered, and {'+'.join(wanted)} runs there alone"
    else:
        state, seen = State.SKIPPED, "not exercised: no request has to go there"
    return Check(id=CheckId.CROSSING, cluster=client.cluster, peer=peer.name, state=state, seen=seen)


def _traffic_check(row: Traffic, error: str) -> Check:
    errors = ", ".join(f"{count} x {error}" for error, count in row.errors.items())
    split_seen = (
        (f"audience {row.audience}, " if row.audience else "")
        + f"{row.requests} requests: v1 {row.v1}, v2 {row.v2}, failed {row.failed}"
        + (f" ({errors})" if errors else "")
        + f"; v2 {row.v2_share:.1%}, wanted {row.v2_expected:.1%} +-{row.bound:.1%}"
    )
    return Check(
        id=_TRAFFIC_CHECKS[row.source],
        cluster=row.cluster,
        state=State.PASSED if row.ok else State.FAILED,
        seen=error or split_seen,
    )


def _pods(workload: Workload | None) -> str:
    return f"{workload.ready} of {workload.wanted} pods ready" if workload else "no Deployment"


def _check(check: CheckId, cluster: ClusterFacts, seen: str, *, passed: bool) -> Check:
    state = State.PASSED if passed else State.FAILED
    return Check(id=check, cluster=cluster.name, state=state, seen=seen)
