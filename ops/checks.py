"""From what was seen to one result for each check. Pure; causes are `ops.conclude`'s part."""

from collections.abc import Iterator, Mapping

from components import _names as names
from ops import split
from ops.api import Workload
from ops.endpoints import judge
from ops.facts import (
    SYNCED,
    ClusterFacts,
    Credential,
    MeshFacts,
    RemoteFacts,
    TrafficFacts,
    Way,
)
from ops.report import Check, CheckId, State, Traffic

_TRAFFIC_CHECKS = {Way.INGRESS: CheckId.TRAFFIC_INGRESS, Way.CLIENT: CheckId.TRAFFIC_CLIENT}


def check_all(facts: MeshFacts, weight: int) -> tuple[Check, ...]:
    """Check every cluster, link and curl loop, against `weight` percent of v2."""
    by_name = {cluster.name: cluster for cluster in facts.clusters}
    checks = [check for cluster in facts.clusters for check in _cluster(cluster, facts, by_name)]
    return (*checks, *(_traffic_check(traffic, weight) for traffic in facts.traffic))


def traffic_row(traffic: TrafficFacts, weight: int) -> Traffic:
    """One curl loop as a row of the report."""
    tally = traffic.tally
    return Traffic(
        cluster=traffic.cluster,
        way=traffic.way,
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
        ok=not traffic.trouble and split.holds(tally, weight),
    )


def _cluster(cluster: ClusterFacts, facts: MeshFacts, by_name: Mapping[str, ClusterFacts]) -> Iterator[Check]:
    if cluster.error:
        yield _check(CheckId.API, cluster, cluster.error, passed=False)
        return
    yield _check(CheckId.API, cluster, f"Kubernetes {cluster.kubernetes}", passed=True)
    istiod = cluster.istiod
    ready = istiod is not None and 0 < istiod.wanted <= istiod.ready
    yield _check(CheckId.ISTIOD, cluster, _pods(istiod), passed=ready)
    label = cluster.network_label or "missing"
    yield _check(CheckId.NETWORK_LABEL, cluster, label, passed=label == cluster.network)
    yield _root(cluster, facts)
    present = cluster.service
    yield _check(CheckId.SERVICE, cluster, present.detail, passed=present.present)
    yield _gateway(cluster)
    for remote in cluster.remotes:
        yield _remote_secret(cluster, remote)
        yield _remote_synced(cluster, remote)
    yield from _client(cluster, facts, by_name)


def _root(cluster: ClusterFacts, facts: MeshFacts) -> Check:
    own = set(cluster.roots.values())
    others = {root for other in facts.clusters if not other.error for root in other.roots.values()}
    missing = [
        namespace for namespace in (names.ISTIO_NAMESPACE, names.APP_NAMESPACE) if not cluster.roots.get(namespace)
    ]
    shown = "; ".join("+".join(sorted(fingerprint[:12] for fingerprint in root)) for root in own)
    seen = f"no root certificate in {', '.join(missing)}" if missing else shown
    return _check(CheckId.MESH_ROOT, cluster, seen, passed=not missing and len(others) == 1)


def _gateway(cluster: ClusterFacts) -> Check:
    gateway = cluster.gateway
    seen = f"{_pods(gateway.workload)}, address {', '.join(gateway.addresses) or 'none'}"
    if gateway.trouble:
        seen += f", not reached from here: {gateway.trouble}"
    usable = gateway.workload is not None and gateway.workload.ready > 0 and gateway.addresses
    # From here is not from there: the sidecars' word makes a warning a failure, in `ops.causes`.
    doubt = State.WARNING if gateway.trouble else State.PASSED
    state = doubt if usable else State.FAILED
    return Check(id=CheckId.GATEWAY, cluster=cluster.name, state=state, seen=seen)


def _remote_secret(cluster: ClusterFacts, remote: RemoteFacts) -> Check:
    if remote.credential is Credential.ACCEPTED:
        state = State.PASSED
    elif remote.credential is Credential.UNREACHABLE and remote.sync == SYNCED:
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
        seen=remote.sync or "istiod could not be asked",
    )


def _client(cluster: ClusterFacts, facts: MeshFacts, by_name: Mapping[str, ClusterFacts]) -> Iterator[Check]:
    client = facts.clients.get(cluster.name)
    if client is None:
        return
    yield _check(CheckId.CLIENT, cluster, client.trouble or "ready", passed=not client.trouble)
    if client.trouble:
        return
    yield from judge(client, by_name)


def _traffic_check(traffic: TrafficFacts, weight: int) -> Check:
    row = traffic_row(traffic, weight)
    errors = ", ".join(f"{count} x {error}" for error, count in row.errors.items())
    split_seen = (
        f"{row.requests} requests: v1 {row.v1}, v2 {row.v2}, failed {row.failed}"
        + (f" ({errors})" if errors else "")
        + f"; v2 {row.v2_share:.1%}, wanted {row.v2_expected:.1%} +-{row.bound:.1%}"
    )
    return Check(
        id=_TRAFFIC_CHECKS[traffic.way],
        cluster=traffic.cluster,
        state=State.PASSED if row.ok else State.FAILED,
        seen=traffic.trouble or split_seen,
    )


def _pods(workload: Workload | None) -> str:
    return f"{workload.ready} of {workload.wanted} pods ready" if workload else "no Deployment"


def _check(check: CheckId, cluster: ClusterFacts, seen: str, *, passed: bool) -> Check:
    state = State.PASSED if passed else State.FAILED
    return Check(id=check, cluster=cluster.name, state=state, seen=seen)
