"""Looks at one cluster through its API. Concludes nothing."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography import x509
from pydantic import BaseModel, TypeAdapter

from config.schema import Cluster
from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.envoy import Certificates
from ops.cluster.polling import Poller
from ops.cluster.sidecar import see_certificates
from ops.verify import consistency, remote, trust
from ops.verify.facts import SYNCED, ClusterFacts, Credential, GatewayFacts, RemoteFacts, ServiceFacts

_ROOT_CONFIG_MAP = "istio-ca-root-cert"
_ROOT_KEY = "root-cert.pem"
_NAMESPACES = (names.ISTIO_NAMESPACE, names.APP_NAMESPACE)
_EXEC_SECONDS = 20.0
_ISTIOD = "istiod"
_PODS = (
    (names.APP_NAMESPACE, f"app={names.HELLOWORLD}"),
    (names.ISTIO_NAMESPACE, f"app={names.INGRESS_GATEWAY}"),
)
"""Those that speak for a cluster; a gateway to other networks passes on what it cannot read."""


class _RemoteCluster(BaseModel):
    """An entry of istiod's /debug/clusterz."""

    id: str
    syncStatus: str  # noqa: N815 - istiod's spelling


_CLUSTERS = TypeAdapter(tuple[_RemoteCluster, ...])


@dataclass(frozen=True, kw_only=True)
class _Word:
    """What one istiod says of its remote clusters, or why it says nothing."""

    statuses: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def look_at(cluster: Cluster, peers: tuple[str, ...], api: ClusterApi, poller: Poller) -> ClusterFacts:
    """See all that concerns one cluster; what its API refuses to show is noted in the facts, each thing by itself."""
    facts = ClusterFacts(name=cluster.name, network=cluster.network, versions=tuple(map(str, cluster.versions)))
    try:
        facts = replace(facts, kubernetes=api.version())
    except ApiError as error:
        return replace(facts, error=str(error))
    looks: Mapping[str, Callable[[], object]] = {
        "istiod": lambda: api.deployment(names.ISTIO_NAMESPACE, _ISTIOD),
        "network_label": lambda: (api.namespace_labels(names.ISTIO_NAMESPACE) or {}).get(names.NETWORK_LABEL),
        "roots": lambda: _roots(api),
        "certificates": lambda: poller.retry(lambda: _certificates(api), ApiError),
        "service": lambda: _service(api),
        "shared": lambda: consistency.surface(api.shared(names.APP_NAMESPACE)),
        "gateway": lambda: _gateway(api),
        "ingress": lambda: _ingress(api),
        "local": lambda: _local(api, facts.versions),
        "remotes": lambda: _remotes(api, peers, poller),
    }
    seen: dict[str, Any] = {}
    read_errors: dict[str, str] = {}
    for attribute, look in looks.items():
        try:
            seen[attribute] = look()
        except ApiError as error:
            read_errors[attribute] = str(error)
    return replace(facts, read_errors=read_errors, **seen)


def fingerprints(pem: str) -> frozenset[str]:
    """
    SHA-256 of each certificate in a bundle, in hexadecimal.

    Raises:
        ValueError: It holds no certificate.
    """
    return frozenset(map(trust.fingerprint, x509.load_pem_x509_certificates(pem.encode())))


def parse_clusterz(text: str) -> Mapping[str, str]:
    """
    Sync status by cluster, as istiod says it.

    Raises:
        ValueError: It is not istiod's answer.
    """
    return {entry.id: entry.syncStatus for entry in _CLUSTERS.validate_json(text)}


def resolve(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """IP addresses behind addresses and host names; a name that does not resolve has none."""
    found: set[str] = set()
    for address in addresses:
        try:
            answers = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
        except OSError:
            continue
        found.update(str(answer[4][0]) for answer in answers)
    return tuple(sorted(found))


def _roots(api: ClusterApi) -> Mapping[str, frozenset[str]]:
    roots = {}
    for namespace in _NAMESPACES:
        data = api.config_map(namespace, _ROOT_CONFIG_MAP) or {}
        try:
            roots[namespace] = fingerprints(data.get(_ROOT_KEY, ""))
        except ValueError:
            continue
    return roots


def _service(api: ClusterApi) -> ServiceFacts:
    service = api.service(names.APP_NAMESPACE, names.HELLOWORLD)
    where = f"{names.APP_NAMESPACE}/{names.HELLOWORLD}"
    if service is None:
        return ServiceFacts(present=False, detail=f"there is no Service {where}")
    if names.HELLOWORLD_PORT not in service.ports:
        return ServiceFacts(present=False, detail=f"Service {where} has no port {names.HELLOWORLD_PORT}")
    return ServiceFacts(present=True, detail=f"{where}:{names.HELLOWORLD_PORT}")


def _gateway(api: ClusterApi) -> GatewayFacts:
    service = api.service(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY)
    return GatewayFacts(
        workload=api.deployment(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY),
        service=service,
        resolved=resolve(service.addresses if service else ()),
    )


def _ingress(api: ClusterApi) -> tuple[str, ...]:
    service = api.service(names.ISTIO_NAMESPACE, names.INGRESS_GATEWAY)
    return service.addresses if service else ()


def _certificates(api: ClusterApi) -> Mapping[str, Certificates]:
    return {
        pod.name: see_certificates(api, namespace, pod.name)
        for namespace, selector in _PODS
        for pod in api.pods(namespace, selector)
        if pod.ready
    }


def _local(api: ClusterApi, versions: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    pods = api.pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")
    return {
        version: tuple(sorted(pod.ip for pod in pods if pod.ready and pod.ip and pod.labels.get("version") == version))
        for version in versions
    }


def _remotes(api: ClusterApi, peers: tuple[str, ...], poller: Poller) -> tuple[RemoteFacts, ...]:
    if not peers:
        return ()
    outcomes = {peer: _probe(api, peer) for peer in peers}

    def look() -> tuple[RemoteFacts, ...]:
        words = _ask_istiods(api)
        return tuple(_remote(peer, outcomes[peer], words) for peer in peers)

    # A peer may just have been linked, so istiod gets time to read it.
    return poller.until(lambda remotes: all(each.sync == SYNCED for each in remotes), look)


def _probe(api: ClusterApi, peer: str) -> remote.Outcome:
    try:
        return remote.probe(api, peer)
    except ApiError as error:
        return remote.Outcome(credential=Credential.UNREAD, detail=str(error))


def _ask_istiods(api: ClusterApi) -> tuple[_Word, ...]:
    try:
        pods = api.pods(names.ISTIO_NAMESPACE, f"app={_ISTIOD}")
        return tuple(_ask_istiod(api, pod.name) for pod in pods if pod.ready)
    except ApiError as error:
        return (_Word(error=str(error)),)


def _ask_istiod(api: ClusterApi, pod: str) -> _Word:
    command = ["pilot-discovery", "request", "GET", "/debug/clusterz"]
    try:
        done = api.execute(names.ISTIO_NAMESPACE, pod, "discovery", command, _EXEC_SECONDS)
    except ApiError as error:
        return _Word(error=str(error))
    try:
        return _Word(statuses=parse_clusterz(done.stdout))
    except ValueError:
        return _Word(error=f"{pod} gave no list of clusters: {done.error or 'what it said is not in its form'}")


def _remote(peer: str, outcome: remote.Outcome, words: tuple[_Word, ...]) -> RemoteFacts:
    """Let the worst word count: one istiod that does not read a peer leaves its proxies without it."""
    facts = RemoteFacts(peer=peer, credential=outcome.credential, detail=outcome.detail)
    statuses = [word.statuses.get(peer, "not known to it") for word in words if not word.error]
    errors = [word.error for word in words if word.error]
    unsynced = [status for status in statuses if status != SYNCED]
    if unsynced:
        return replace(facts, sync=unsynced[0])
    if errors or not statuses:
        return replace(facts, query_error="; ".join(errors) or "no istiod is ready")
    return replace(facts, sync=SYNCED)
