"""Looks at one cluster through its API. Concludes nothing."""

import socket
from collections.abc import Mapping
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import BaseModel, TypeAdapter

import settings
from components import _names as names
from ops import remote
from ops.api import ApiError, ClusterApi
from ops.facts import SYNCED, ClusterFacts, GatewayFacts, RemoteFacts, ServiceFacts
from ops.patience import Patience

_ROOT_CONFIG_MAP = "istio-ca-root-cert"
_ROOT_KEY = "root-cert.pem"
_NAMESPACES = (names.ISTIO_NAMESPACE, names.APP_NAMESPACE)
_CONNECT_SECONDS = 3.0
_EXEC_SECONDS = 20.0
_ISTIOD = "istiod"


class _RemoteCluster(BaseModel):
    """An entry of istiod's /debug/clusterz."""

    id: str
    syncStatus: str  # noqa: N815 - istiod's spelling


_CLUSTERS = TypeAdapter(tuple[_RemoteCluster, ...])


def look_at(cluster: settings.Cluster, peers: tuple[str, ...], api: ClusterApi, patience: Patience) -> ClusterFacts:
    """See all that concerns one cluster; a refusing API becomes the facts' `error`."""
    facts = ClusterFacts(name=cluster.name, network=cluster.network, versions=tuple(map(str, cluster.versions)))
    try:
        labels = api.namespace_labels(names.ISTIO_NAMESPACE) or {}
        ingress = api.service(names.ISTIO_NAMESPACE, names.INGRESS_GATEWAY)
        return replace(
            facts,
            kubernetes=api.version(),
            istiod=api.deployment(names.ISTIO_NAMESPACE, _ISTIOD),
            network_label=labels.get(names.NETWORK_LABEL),
            roots=_roots(api),
            service=_service(api),
            gateway=_gateway(api),
            ingress=ingress.addresses if ingress else (),
            local=_local(api, facts.versions),
            remotes=_remotes(api, peers, patience),
        )
    except ApiError as error:
        return replace(facts, error=str(error))


def fingerprints(pem: str) -> frozenset[str]:
    """
    SHA-256 of each certificate in a bundle, in hexadecimal.

    Raises:
        ValueError: It holds no certificate.
    """
    certificates = x509.load_pem_x509_certificates(pem.encode())
    return frozenset(certificate.fingerprint(hashes.SHA256()).hex() for certificate in certificates)


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
    workload = api.deployment(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY)
    service = api.service(names.ISTIO_NAMESPACE, names.EASTWEST_GATEWAY)
    addresses = service.addresses if service else ()
    resolved = resolve(addresses)
    trouble = "no address resolves" if addresses and not resolved else ""
    for address in resolved:
        try:
            socket.create_connection((address, names.CROSS_NETWORK_PORT), _CONNECT_SECONDS).close()
        except OSError as error:
            trouble = f"{address}:{names.CROSS_NETWORK_PORT} {error.strerror or 'timed out'}"
    return GatewayFacts(workload=workload, addresses=addresses, resolved=resolved, trouble=trouble)


def _local(api: ClusterApi, versions: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    pods = api.pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")
    return {
        version: tuple(sorted(pod.ip for pod in pods if pod.ready and pod.ip and pod.labels.get("version") == version))
        for version in versions
    }


def _remotes(api: ClusterApi, peers: tuple[str, ...], patience: Patience) -> tuple[RemoteFacts, ...]:
    if not peers:
        return ()
    probed = {peer: remote.probe(api, peer) for peer in peers}
    # A peer may just have been linked, so istiod gets time to read it.
    sync = patience.until(lambda seen: all(seen.get(peer) == SYNCED for peer in peers), lambda: _sync(api, peers))
    return tuple(
        RemoteFacts(
            peer=peer,
            credential=outcome.credential,
            detail=outcome.detail,
            sync=sync.get(peer, ""),
        )
        for peer, outcome in probed.items()
    )


def _sync(api: ClusterApi, peers: tuple[str, ...]) -> Mapping[str, str]:
    """Ask every istiod; the worst answer counts. A peer that none was asked about is left out."""
    worst: dict[str, str] = {}
    for pod in api.pods(names.ISTIO_NAMESPACE, f"app={_ISTIOD}"):
        if not pod.ready:
            continue
        done = api.execute(
            names.ISTIO_NAMESPACE,
            pod.name,
            "discovery",
            ["pilot-discovery", "request", "GET", "/debug/clusterz"],
            _EXEC_SECONDS,
        )
        try:
            said = parse_clusterz(done.stdout)
        except ValueError:
            continue
        for peer in peers:
            status = said.get(peer, "not known to it")
            if worst.get(peer, SYNCED) == SYNCED:
                worst[peer] = status
    return worst
