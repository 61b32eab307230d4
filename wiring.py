"""Turns settings, secrets and preflight results into the Args of each component. Registers nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import pulumi_kubernetes as k8s
import pulumi_rancher2 as rancher2
from pulumi import Output, Resource

from components import (
    Ca,
    GeneratedRootArgs,
    HelloworldAppArgs,
    HelmInstallerArgs,
    Intermediate,
    IstioInstallArgs,
    KubeconfigAccessArgs,
    MeshLinkArgs,
    MeshTrustArgs,
    OperatorInstallerArgs,
    PeersUserArgs,
    PeerToken,
    ProvidedRootArgs,
    RancherAccessArgs,
    RancherCluster,
    RancherClusterArgs,
    RancherTokenArgs,
    Readiness,
    ServiceAccountArgs,
)
from config.preflight import Preflight
from config.schema import Audience, Cluster, Credential, Installer, Rancher, RancherAccess, Settings
from config.secrets import Secrets
from mesh import kubeconfigs, names, pem, root_ca, routing
from mesh.istio_charts import IstioCharts, Release, RenderedRelease
from mesh.istio_values import ControlPlane
from mesh.reader_rules import ReaderRights

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """
    The Args of each component.

    Attributes:
        settings: The stack's config.
        secrets: Its secrets, as plain text; every Args field that gets one is marked as secret.
        found: What preflight found: the time and Rancher's cluster ids.
    """

    settings: Settings
    secrets: Secrets
    found: Preflight

    def rancher_cluster(self, cluster: Cluster, provider: rancher2.Provider | None) -> RancherClusterArgs:
        """The Args for access to one cluster and for its namespaces."""
        return RancherClusterArgs(
            cluster_name=cluster.name,
            network=cluster.network,
            access=(
                self._rancher_access(self.settings.rancher, cluster, provider)
                if isinstance(cluster.access, RancherAccess) and self.settings.rancher and provider
                else KubeconfigAccessArgs(kubeconfig=Output.secret(self.secrets.kubeconfigs[cluster.name]))
            ),
            identity=None if cluster.away else self.found.clusters[cluster.name].identity,
            namespace_node_selector=cluster.namespace_node_selector,
            adopts_istio_namespace=self.settings.istio.installer is Installer.OPERATOR,
        )

    def _rancher_access(self, rancher: Rancher, cluster: Cluster, provider: rancher2.Provider) -> RancherAccessArgs:
        rotation = _Rotation.of(rancher, self.found.now)
        return RancherAccessArgs(
            url=rancher.url,
            ca_certs=rancher.ca_certs,
            cluster_id=self.found.cluster_ids[cluster.name],
            token_ttl_hours=rancher.token_ttl_hours,
            token_rotation=rotation.count + rancher.token_generation,
            token_expiry=rotation.expiry(rotation.count),
            active_token_expiry=rotation.expiry(rotation.count - 1),
            project=rancher.project.model_dump(),
            app_project=rancher.app_project.model_dump(),
            peers=self._peers(rancher, cluster),
            provider=provider,
        )

    def _peers(self, rancher: Rancher, cluster: Cluster) -> PeersUserArgs | PeerToken:
        if cluster.credential is not Credential.RANCHER_TOKEN:
            return PeerToken.NONE
        if not rancher.peers_user:
            return PeerToken.PROGRAM_USER
        return PeersUserArgs(
            username=names.peers_user(self.settings.mesh.id, cluster.name),
            rights=self._reader_rights,
        )

    def mesh_trust(self) -> MeshTrustArgs:
        """The Args for the mesh's CAs, with the root that the user provides or else a generated one."""
        trust = self.settings.trust
        root: ProvidedRootArgs | GeneratedRootArgs
        if trust.root_certificate and self.secrets.root_private_key:
            root = ProvidedRootArgs(
                certificate_pem=pem.write_certificate(trust.root_certificate),
                private_key_pem=Output.secret(self.secrets.root_private_key),
                expiry=root_ca.expiry(trust.root_certificate),
            )
        else:
            root = GeneratedRootArgs(validity_hours=trust.root_validity_hours, protect=trust.protect_root)
        return MeshTrustArgs(
            mesh_id=self.settings.mesh.id,
            cluster_names=tuple(cluster.name for cluster in self.settings.clusters),
            root=root,
            intermediate_validity_hours=trust.intermediate_validity_hours,
            intermediate_early_renewal_hours=trust.intermediate_early_renewal_hours,
            intermediate_generation=trust.intermediate_generation,
        )

    @property
    def releases(self) -> Mapping[str, Mapping[str, Release]]:
        """The releases of Istio's charts by the cluster's name; empty with the operator, which has its own charts."""
        istio = self.settings.istio
        if istio.installer is not Installer.HELM:
            return {}
        return {
            cluster.name: IstioCharts(
                source=istio.charts,
                version=istio.version,
                peer_rights=self._reader_rights,
                gateway_locality=cluster.locality.label if cluster.locality else None,
                values=istio.values.model_dump(),
            ).releases(
                self._control_plane(cluster),
                None if cluster.away else self.found.clusters[cluster.name].version,
            )
            for cluster in self.settings.clusters
        }

    def istio_install(
        self,
        cluster: Cluster,
        crd_provider: k8s.Provider,
        intermediate: Intermediate,
        releases: Mapping[str, RenderedRelease] | None,
    ) -> IstioInstallArgs:
        """The Args for Istio on one cluster; without rendered releases the operator installs it."""
        istio = self.settings.istio
        return IstioInstallArgs(
            control_plane=self._control_plane(cluster),
            cacerts=intermediate.cacerts,
            networking_api=istio.networking_api,
            installer=(
                HelmInstallerArgs(releases=releases, crd_provider=crd_provider)
                if releases is not None
                else OperatorInstallerArgs()
            ),
        )

    def _control_plane(self, cluster: Cluster) -> ControlPlane:
        istio = self.settings.istio
        return ControlPlane(
            cluster_name=cluster.name,
            network=cluster.network,
            mesh_id=self.settings.mesh.id,
            trust_domain=self.settings.mesh.trust_domain,
            hub=istio.hub,
            tag=istio.tag,
            timeout_seconds=istio.timeout_seconds,
        )

    def mesh_link(
        self, source: Cluster, target: Cluster, clusters: Mapping[str, RancherCluster], target_istio: Sequence[Resource]
    ) -> MeshLinkArgs:
        """The Args for the link by which `target` reads `source`."""
        server, ca = self._peer_endpoint(source)
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
                    source_identity=clusters[source.name].identity,
                    token_generation=self.settings.links.token_generation,
                    rights=self._reader_rights,
                )
            ),
            target_provider=clusters[target.name].provider,
            target_istio=target_istio,
            # A peer keeps the endpoints of a cluster that it cannot reach. In a target that is away nothing changes.
            is_read=target.away or not source.away,
        )

    def _peer_endpoint(self, source: Cluster) -> tuple[str, str | Ca]:
        if source.peer_server is not None:
            return source.peer_server, source.peer_ca_certs or Ca.CLUSTER
        if isinstance(source.access, RancherAccess) and self.settings.rancher:
            # Rancher's proxy serves the cluster's API with Rancher's certificate.
            server = kubeconfigs.rancher_server(self.settings.rancher.url, self.found.cluster_ids[source.name])
            return server, self.settings.rancher.ca_certs or Ca.PUBLIC
        endpoint = self.secrets.servers[source.name]
        # Without a CA the kubeconfig trusts the public ones, of which the cluster's own is none.
        return endpoint.server, endpoint.ca_pem or Ca.PUBLIC

    def helloworld_app(self, cluster: Cluster, istio: Readiness) -> HelloworldAppArgs:
        """The Args for the application on one cluster, with the routing that all clusters share."""
        app = self.settings.helloworld
        images = {"v1": app.images.v1, "v2": app.images.v2}
        return HelloworldAppArgs(
            cluster_name=cluster.name,
            images={str(version): images[version] for version in cluster.versions},
            weights=self.settings.weights,
            audiences=tuple(self._audience(audience) for audience in self.settings.audiences),
            failover=self._failover() if self.settings.fails_over else None,
            locality=cluster.locality.label if cluster.locality else None,
            replicas=app.replicas,
            requests=app.resources.requests.model_dump(),
            limits=app.resources.limits.model_dump(),
            drain_seconds=self.settings.istio.drain_seconds,
            timeout_seconds=self.settings.istio.timeout_seconds,
            networking_api=self.settings.istio.networking_api,
            istio=istio,
        )

    def _audience(self, audience: Audience) -> routing.Audience:
        clusters = self.settings.clusters if audience.region else ()
        return routing.Audience(
            name=audience.name,
            version=str(audience.version),
            header=audience.header.name if audience.header else None,
            header_match=audience.header.match if audience.header else {},
            clusters=tuple(
                cluster.name for cluster in clusters if self.settings.is_within(cluster.name, audience.region)
            ),
        )

    def _failover(self) -> routing.Failover:
        failover, regions = self.settings.failover, self.settings.regions
        # By default a region fails over to the next one, in the order of the clusters: without an order Istio treats
        # all other regions the same.
        following = dict(zip(regions, (*regions[1:], regions[0]), strict=True))
        return routing.Failover(
            **failover.model_dump(exclude={"enabled", "order"}),
            order=following | {step.from_: step.to for step in failover.order},
        )

    @property
    def _reader_rights(self) -> ReaderRights:
        return ReaderRights(
            secrets=self.settings.links.read_secrets,
            # Istiod of the operator's versions may read Endpoints instead of EndpointSlices.
            endpoints=self.settings.istio.installer is Installer.OPERATOR,
        )


@dataclass(frozen=True, kw_only=True)
class _Rotation:
    """
    The rotation of tokens: the time since 1970 in equal periods, one rotation in each.

    The length is (ttl - early renewal) / 2. A token is created in the period of its use or in the one before, so it has
    at least the early renewal left when its use ends.

    Attributes:
        life: The tokens' ttl.
        length: The length of a period.
        count: How many periods have ended.
    """

    life: timedelta
    length: timedelta
    count: int

    @classmethod
    def of(cls, rancher: Rancher, now: datetime) -> Self:
        life = timedelta(hours=rancher.token_ttl_hours)
        length = (life - timedelta(hours=rancher.token_early_renewal_hours)) / 2
        return cls(life=life, length=length, count=(now - EPOCH) // length)

    def expiry(self, count: int) -> str:
        """The expiry of a token that is created at the end of `count` periods, RFC 3339 in UTC."""
        ends = EPOCH + count * self.length + self.life
        return ends.isoformat(timespec="seconds").replace("+00:00", "Z")
