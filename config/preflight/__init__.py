"""What is found out before anything changes: is the config usable now, and does Rancher have what it names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from config.base import NAMESPACE
from config.preflight import rancher
from config.schema import Credential, Rancher, RancherAccess, Settings
from config.secrets import RANCHER_TOKEN, Secrets
from errors import UserError
from mesh import root_ca

LookUp = Callable[[rancher.Wanted], Mapping[str, str]]
"""Queries a Rancher server, as `rancher.look_up` does."""


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """
    What the config does not say.

    Attributes:
        now: The one reading of the clock for a whole run, in UTC: clusters must not fall on two sides of a moment.
        cluster_ids: Rancher's id of each cluster with access `rancher`, by the cluster's name.
    """

    now: datetime
    cluster_ids: Mapping[str, str]


def run(settings: Settings, secrets: Secrets, now: datetime, look_up: LookUp = rancher.look_up) -> Preflight:
    """
    Check the config against the clock and against Rancher; changes nothing.

    Args:
        settings: The stack's config.
        secrets: Its secrets.
        now: The time, in UTC.
        look_up: Queries the Rancher server.

    Raises:
        UserError: What cannot work, by config key. Nothing secret is quoted.
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
        raise UserError("missing", f"Set it: pulumi config set --secret {key}", key=key)
    return Preflight(now=now, cluster_ids=look_up(_wanted(settings, settings.rancher, secrets.rancher_token)))


def _wanted(settings: Settings, server: Rancher, token: str) -> rancher.Wanted:
    accesses = [
        (index, cluster, cluster.access)
        for index, cluster in enumerate(settings.clusters)
        if isinstance(cluster.access, RancherAccess)
    ]
    return rancher.Wanted(
        url=server.url,
        ca_certs=server.ca_certs,
        token=token,
        token_ttl_hours=server.token_ttl_hours,
        makes_users=server.peers_user
        and any(cluster.credential is Credential.RANCHER_TOKEN for _, cluster, _ in accesses),
        clusters={
            cluster.name: rancher.WantedCluster(
                key=f"{NAMESPACE}:clusters[{index}].access", id=access.cluster_id, name=access.cluster_name
            )
            for index, cluster, access in accesses
        },
    )
