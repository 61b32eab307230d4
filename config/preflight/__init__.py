"""Checks of the config against the clock, Rancher and the clusters, before anything changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from config.base import NAMESPACE
from config.preflight import clusters, rancher
from config.preflight.clusters import Ask, ClusterFacts, ClusterQuery
from config.schema import Credential, Rancher, RancherAccess, Settings
from config.secrets import RANCHER_TOKEN, Secrets
from errors import UserError
from mesh import kubeconfigs, names, root_ca

LookUp = Callable[[rancher.Query], Mapping[str, str]]
"""Queries a Rancher server, as `rancher.look_up` does."""


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """
    What the program needs in addition to the config.

    Attributes:
        now: The time of the run, in UTC; read once, so that all clusters use the same token rotation.
        cluster_ids: Rancher's id of each cluster with access `rancher`, by the cluster's name.
        clusters: The answers of the clusters that are not away, by name.
        notes: Warnings for the user, a sentence each.
    """

    now: datetime
    cluster_ids: Mapping[str, str]
    clusters: Mapping[str, ClusterFacts]
    notes: tuple[str, ...] = ()


def run(
    settings: Settings,
    secrets: Secrets,
    now: datetime,
    look_up: LookUp = rancher.look_up,
    ask: Ask = clusters.ask,
) -> Preflight:
    """
    Check the config against the clock, Rancher and the clusters, without changing anything.

    Args:
        settings: The stack's config.
        secrets: Its secrets.
        now: The time, in UTC.
        look_up: Queries the Rancher server.
        ask: Queries the clusters.

    Raises:
        UserError: The config cannot be used. The message names the key, and never quotes a secret.
    """
    root = settings.trust.root_certificate
    notes: tuple[str, ...] = ()
    if root is not None:
        notes = _check_root(f"{NAMESPACE}:trust.rootCertificate", root, now, settings.trust.intermediate_validity_hours)
    cluster_ids: Mapping[str, str] = {}
    if settings.rancher is not None:
        if secrets.rancher_token is None:
            key = f"{NAMESPACE}:{RANCHER_TOKEN}"
            raise UserError("missing", f"Run: pulumi config set --secret {key}", key=key)
        cluster_ids = look_up(_query(settings, settings.rancher, secrets.rancher_token))
    facts = ask(_cluster_queries(settings, secrets, cluster_ids))
    return Preflight(now=now, cluster_ids=cluster_ids, clusters=facts, notes=notes)


def _check_root(key: str, certificate: x509.Certificate, now: datetime, hours: int) -> tuple[str, ...]:
    try:
        root_ca.check_validity(certificate, now)
    except ValueError as error:
        raise UserError(str(error), key=key) from None
    warning = root_ca.outlived(certificate, now, hours)
    return (f"{key}: {warning}",) if warning else ()


def _cluster_queries(settings: Settings, secrets: Secrets, cluster_ids: Mapping[str, str]) -> Sequence[ClusterQuery]:
    return [
        ClusterQuery(
            name=cluster.name,
            key=f"{NAMESPACE}:clusters[{index}]",
            kubeconfig=(
                _proxy_kubeconfig(cluster.name, settings.rancher, secrets.rancher_token, cluster_ids[cluster.name])
                if isinstance(cluster.access, RancherAccess) and settings.rancher and secrets.rancher_token
                else secrets.kubeconfigs[cluster.name]
            ),
        )
        for index, cluster in enumerate(settings.clusters)
        if not cluster.away
    ]


def _proxy_kubeconfig(name: str, server: Rancher, token: str, cluster_id: str) -> str:
    url = kubeconfigs.rancher_server(server.url, cluster_id)
    return kubeconfigs.render_token_kubeconfig(name=name, server=url, ca_pem=server.ca_certs, token=token)


def _query(settings: Settings, server: Rancher, token: str) -> rancher.Query:
    accesses = [
        (index, cluster, cluster.access)
        for index, cluster in enumerate(settings.clusters)
        if isinstance(cluster.access, RancherAccess)
    ]
    with_user = [
        cluster.name
        for _, cluster, _ in accesses
        if server.peers_user and cluster.credential is Credential.RANCHER_TOKEN
    ]
    return rancher.Query(
        url=server.url,
        ca_certs=server.ca_certs,
        token=token,
        token_ttl_hours=server.token_ttl_hours,
        creates_users=bool(with_user),
        roles={names.peers_user(settings.mesh.id, name): names.peers_role_description(name) for name in with_user},
        clusters={
            cluster.name: rancher.ClusterQuery(
                key=f"{NAMESPACE}:clusters[{index}].access",
                id=access.cluster_id,
                name=access.cluster_name,
                is_away=cluster.away,
            )
            for index, cluster, access in accesses
        },
    )
