"""What each component is told: settings in, Args out. Creates nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import pulumi_kubernetes as k8s
import pulumi_rancher2 as rancher2

from components import (
    BroughtRootArgs,
    Ca,
    HelloworldAppArgs,
    HelmInstallerArgs,
    Intermediate,
    IstioInstallArgs,
    KubeconfigAccessArgs,
    MadeRootArgs,
    MeshLinkArgs,
    MeshTrustArgs,
    OperatorInstallerArgs,
    Peers,
    PeersUserArgs,
    ProjectArgs,
    QuotaArgs,
    RancherAccessArgs,
    RancherCluster,
    RancherClusterArgs,
    RancherTokenArgs,
    ServiceAccountArgs,
)
from config.loader import Secrets
from config.schema import Audience, Cluster, Credential, Installer, Project, Quota, Rancher, RancherAccess, Settings
from mesh import kubeconfigs, names, pem, root_ca, routing

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rancher_cluster(
    settings: Settings, secrets: Secrets, cluster: Cluster, provider: rancher2.Provider | None
) -> RancherClusterArgs:
    """Access and namespaces of one cluster."""
    return RancherClusterArgs(
        cluster_name=cluster.name,
        network=cluster.network,
        access=(
            _rancher_access(settings, settings.rancher, secrets.cluster_ids[cluster.name], cluster, provider)
            if isinstance(cluster.access, RancherAccess) and settings.rancher and provider
            else KubeconfigAccessArgs(kubeconfig=secrets.kubeconfigs[cluster.name])
        ),
        namespace_node_selector=cluster.namespace_node_selector,
        adopts_istio_namespace=settings.istio.installer is Installer.OPERATOR,
    )


def _rancher_access(
    settings: Settings, rancher: Rancher, cluster_id: str, cluster: Cluster, provider: rancher2.Provider
) -> RancherAccessArgs:
    turns = _Turns.of(rancher, datetime.now(UTC))
    return RancherAccessArgs(
        url=rancher.url,
        ca_certs=rancher.ca_certs,
        cluster_id=cluster_id,
        token_ttl_hours=rancher.token_ttl_hours,
        token_turn=turns.count + rancher.token_generation,
        token_expiry=turns.expiry(turns.count),
        earlier_token_expiry=turns.expiry(turns.count - 1),
        project=_project(rancher.project),
        app_project=_project(rancher.app_project),
        peers=_peers(settings, rancher, cluster),
        provider=provider,
    )


def _peers(settings: Settings, rancher: Rancher, cluster: Cluster) -> PeersUserArgs | Peers:
    if cluster.credential is not Credential.RANCHER_TOKEN:
        return Peers.NO_TOKEN
    if not rancher.peers_user:
        return Peers.PROGRAMS_USER
    return PeersUserArgs(
        username=names.peers_user(settings.mesh.id, cluster.name),
        reads_secrets=settings.links.read_secrets,
        reads_endpoints=settings.istio.installer is Installer.OPERATOR,
    )


def _project(project: Project) -> ProjectArgs:
    return ProjectArgs(
        name=project.name,
        description=project.description,
        container_limits_cpu=project.container_limit.limits_cpu,
        container_limits_memory=project.container_limit.limits_memory,
        container_requests_cpu=project.container_limit.requests_cpu,
        container_requests_memory=project.container_limit.requests_memory,
        namespace_quota=_quota(project.namespace_quota),
        project_quota=_quota(project.project_quota),
    )


@dataclass(frozen=True, kw_only=True)
class _Turns:
    """
    Time cut into equal parts, so that tokens are made anew once in each.

    A token is made in a part or in the one before, and has all of its early renewal left when both are over.
    """

    life: timedelta
    length: timedelta
    count: int
    """How many parts are over."""

    @classmethod
    def of(cls, rancher: Rancher, now: datetime) -> Self:
        life = timedelta(hours=rancher.token_ttl_hours)
        length = (life - timedelta(hours=rancher.token_early_renewal_hours)) / 2
        return cls(life=life, length=length, count=(now - EPOCH) // length)

    def expiry(self, count: int) -> str:
        """Until when a token is good that is made when so many parts are over, in UTC."""
        ends = EPOCH + count * self.length + self.life
        return ends.isoformat(timespec="seconds").replace("+00:00", "Z")


def _quota(quota: Quota) -> QuotaArgs:
    return QuotaArgs(limits_cpu=quota.limits_cpu, limits_memory=quota.limits_memory)


def mesh_trust(settings: Settings, secrets: Secrets) -> MeshTrustArgs:
    """The root that the user brings, else one that the program makes."""
    trust = settings.trust
    root: BroughtRootArgs | MadeRootArgs
    if trust.root_certificate and secrets.root_private_key:
        root = BroughtRootArgs(
            certificate_pem=pem.write_certificate(trust.root_certificate),
            private_key_pem=secrets.root_private_key,
            expiry=root_ca.expiry(trust.root_certificate),
        )
    else:
        root = MadeRootArgs(validity_hours=trust.root_validity_hours, protect=trust.protect_root)
    return MeshTrustArgs(
        mesh_id=settings.mesh.id,
        cluster_names=tuple(cluster.name for cluster in settings.clusters),
        root=root,
        intermediate_validity_hours=trust.intermediate_validity_hours,
        intermediate_early_renewal_hours=trust.intermediate_early_renewal_hours,
        intermediate_generation=trust.intermediate_generation,
    )


def istio_install(
    settings: Settings, cluster: Cluster, crd_provider: k8s.Provider, intermediate: Intermediate
) -> IstioInstallArgs:
    """Istio on one cluster."""
    istio = settings.istio
    return IstioInstallArgs(
        cluster_name=cluster.name,
        network=cluster.network,
        mesh_id=settings.mesh.id,
        trust_domain=settings.mesh.trust_domain,
        cacerts=intermediate.cacerts,
        hub=istio.hub,
        tag=istio.tag,
        timeout_seconds=istio.timeout_seconds,
        networking_api=istio.networking_api,
        installer=(
            HelmInstallerArgs(
                charts=istio.charts,
                chart_version=istio.version,
                reads_peer_secrets=settings.links.read_secrets,
                gateway_locality=cluster.locality.label if cluster.locality else None,
                crd_provider=crd_provider,
                base_values=istio.values.base,
                istiod_values=istio.values.istiod,
                gateway_values=istio.values.gateway,
            )
            if istio.installer is Installer.HELM
            else OperatorInstallerArgs()
        ),
    )


def mesh_link(
    settings: Settings, secrets: Secrets, source: Cluster, target: Cluster, clusters: Mapping[str, RancherCluster]
) -> MeshLinkArgs:
    """How `target` reads `source`."""
    server, ca = _peer_endpoint(settings, secrets, source)
    peer_token = clusters[source.name].peer_token
    return MeshLinkArgs(
        source=source.name,
        target=target.name,
        server=server,
        ca=ca,
        credential=(
            RancherTokenArgs(token=peer_token)
            if source.credential is Credential.RANCHER_TOKEN and peer_token is not None
            else ServiceAccountArgs(
                source_provider=clusters[source.name].provider,
                token_generation=settings.links.token_generation,
                reads_secrets=settings.links.read_secrets,
                reads_endpoints=settings.istio.installer is Installer.OPERATOR,
            )
        ),
        target_provider=clusters[target.name].provider,
    )


def _peer_endpoint(settings: Settings, secrets: Secrets, source: Cluster) -> tuple[str, str | Ca]:
    if source.peer_server is not None:
        return source.peer_server, source.peer_ca_certs or Ca.CLUSTER
    if isinstance(source.access, RancherAccess) and settings.rancher:
        # Behind Rancher's proxy a token of the cluster meets Rancher's certificate.
        server = kubeconfigs.rancher_server(settings.rancher.url, secrets.cluster_ids[source.name])
        return server, settings.rancher.ca_certs or Ca.PUBLIC
    endpoint = secrets.servers[source.name]
    return endpoint.server, endpoint.ca_pem or Ca.CLUSTER


def helloworld_app(settings: Settings, cluster: Cluster) -> HelloworldAppArgs:
    """The versions that one cluster runs, and the routing that all share."""
    app = settings.helloworld
    images = {"v1": app.images.v1, "v2": app.images.v2}
    return HelloworldAppArgs(
        cluster_name=cluster.name,
        images={str(version): images[version] for version in cluster.versions},
        weights=routing.weights(settings.v2_weight),
        audiences=tuple(_audience(settings, audience) for audience in settings.audiences),
        failover=_failover(settings) if settings.fails_over else None,
        locality=cluster.locality.label if cluster.locality else None,
        replicas=app.replicas,
        requests=app.resources.requests.model_dump(),
        limits=app.resources.limits.model_dump(),
        drain_seconds=settings.istio.drain_seconds,
        timeout_seconds=settings.istio.timeout_seconds,
        networking_api=settings.istio.networking_api,
    )


def _audience(settings: Settings, audience: Audience) -> routing.Audience:
    clusters = settings.clusters if audience.region else ()
    return routing.Audience(
        name=audience.name,
        version=str(audience.version),
        header=audience.header.name if audience.header else None,
        header_match=audience.header.match if audience.header else {},
        clusters=tuple(cluster.name for cluster in clusters if settings.is_within(cluster.name, audience.region)),
    )


def _failover(settings: Settings) -> routing.Failover:
    failover, regions = settings.failover, settings.regions
    # Round the clusters' own order, unless another is asked for: Istio sorts regions only where it is told one.
    following = dict(zip(regions, (*regions[1:], regions[0]), strict=True))
    return routing.Failover(
        consecutive_gateway_errors=failover.consecutive_gateway_errors,
        interval_seconds=failover.interval_seconds,
        base_ejection_seconds=failover.base_ejection_seconds,
        max_ejection_percent=failover.max_ejection_percent,
        connect_timeout_seconds=failover.connect_timeout_seconds,
        retry_attempts=failover.retry_attempts,
        per_try_timeout_seconds=failover.per_try_timeout_seconds,
        order=following | {step.from_: step.to for step in failover.order},
    )
