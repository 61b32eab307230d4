"""Checks of the config against the clock and against Rancher, before anything changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from config.base import NAMESPACE
from config.preflight import rancher
from config.schema import Credential, Rancher, RancherAccess, Settings
from config.secrets import RANCHER_TOKEN, Secrets
from errors import UserError
from mesh import root_ca

LookUp = Callable[[rancher.Query], Mapping[str, str]]
"""Queries a Rancher server, as `rancher.look_up` does."""


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """
    What the program needs in addition to the config.

    Attributes:
        now: The time of the run, in UTC; read once, so that all clusters use the same token rotation.
        cluster_ids: Rancher's id of each cluster with access `rancher`, by the cluster's name.
    """

    now: datetime
    cluster_ids: Mapping[str, str]


def run(settings: Settings, secrets: Secrets, now: datetime, look_up: LookUp = rancher.look_up) -> Preflight:
    """
    Check the config against the clock and against Rancher, without changing anything.

    Args:
        settings: The stack's config.
        secrets: Its secrets.
        now: The time, in UTC.
        look_up: Queries the Rancher server.

    Raises:
        UserError: The config cannot be used. The message names the key, and never quotes a secret.
    """
    if settings.trust.root_certificate is not None:
        try:
            root_ca.check_validity(settings.trust.root_certificate, now)
        except ValueError as error:
            raise UserError(str(error), key=f"{NAMESPACE}:trust.rootCertificate") from None
    if settings.rancher is None:
        return Preflight(now=now, cluster_ids={})
    if secrets.rancher_token is None:
        key = f"{NAMESPACE}:{RANCHER_TOKEN}"
        raise UserError("missing", f"Run: pulumi config set --secret {key}", key=key)
    return Preflight(now=now, cluster_ids=look_up(_query(settings, settings.rancher, secrets.rancher_token)))


def _query(settings: Settings, server: Rancher, token: str) -> rancher.Query:
    accesses = [
        (index, cluster, cluster.access)
        for index, cluster in enumerate(settings.clusters)
        if isinstance(cluster.access, RancherAccess)
    ]
    return rancher.Query(
        url=server.url,
        ca_certs=server.ca_certs,
        token=token,
        token_ttl_hours=server.token_ttl_hours,
        creates_users=server.peers_user
        and any(cluster.credential is Credential.RANCHER_TOKEN for _, cluster, _ in accesses),
        clusters={
            cluster.name: rancher.ClusterQuery(
                key=f"{NAMESPACE}:clusters[{index}].access", id=access.cluster_id, name=access.cluster_name
            )
            for index, cluster, access in accesses
        },
    )
