"""What the stack config may say: sections, types, and the rules that tie keys to each other. Reads nothing."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from math import inf
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mesh import istio_values, names, root_ca
from sections import NAMESPACE, Section, sections_within
from traffic_schema import Audience, Failover, Locality, Version, check_audiences
from value_types import (
    CaCertificates,
    Charts,
    ChartVersion,
    ClusterName,
    DnsLabel,
    Generation,
    Hours,
    HttpsUrl,
    KubeconfigPath,
    NodeSelector,
    NonEmpty,
    Percent,
    Quantity,
    RancherClusterId,
    Replicas,
    RootCertificate,
    TimeoutSeconds,
    TokenHours,
    TrustDomain,
    amount,
)


class Mesh(Section):
    """What all clusters share."""

    id: DnsLabel
    trust_domain: TrustDomain = "cluster.local"


class Trust(Section):
    """The root CA and the intermediates."""

    root_certificate: RootCertificate | None = None
    """PEM of a root that the user brings; its key is the secret `rootPrivateKey`."""
    root_validity_hours: Hours = 87600
    intermediate_validity_hours: Hours = 8760
    intermediate_early_renewal_hours: Hours = 2920
    intermediate_generation: Generation = 1
    protect_root: bool = True

    @model_validator(mode="after")
    def _check_hours(self) -> Self:
        if self.intermediate_early_renewal_hours >= self.intermediate_validity_hours:
            message = (
                f"intermediateEarlyRenewalHours is {self.intermediate_early_renewal_hours}; allowed is less than "
                f"intermediateValidityHours, which is {self.intermediate_validity_hours}"
            )
            raise ValueError(message)
        hours, limit = self.root_validity_hours, "rootValidityHours"
        if self.root_certificate is not None:
            try:
                # Not what is left of it: an old root would then refuse every `up`, a weight shift included.
                hours = root_ca.lifetime_hours(self.root_certificate, datetime.now(UTC))
            except ValueError as error:
                message = f"{NAMESPACE}:trust.rootCertificate: {error}"
                raise ValueError(message) from None
            limit = "the hours that rootCertificate is valid"
        if self.intermediate_validity_hours > hours:
            message = (
                f"intermediateValidityHours is {self.intermediate_validity_hours}; allowed is at most {limit}, "
                f"which is {hours}"
            )
            raise ValueError(message)
        return self


def _check_chart_values(chart: str) -> AfterValidator:
    def check(values: dict[str, Any]) -> dict[str, Any]:
        replaced = istio_values.find_replaced_map(istio_values.OUTLINES[chart], values)
        if replaced is not None:
            message = (
                f"'{replaced}' would replace what the program itself says there; allowed is a mapping laid over it"
            )
            raise ValueError(message)
        return values

    return AfterValidator(check)


class ChartValues(Section):
    """Helm values laid over the program's own, by chart."""

    base: Annotated[dict[str, Any], _check_chart_values("base")] = Field(default_factory=dict)
    istiod: Annotated[dict[str, Any], _check_chart_values("istiod")] = Field(default_factory=dict)
    gateway: Annotated[dict[str, Any], _check_chart_values("gateway")] = Field(default_factory=dict)


class Installer(StrEnum):
    """Who makes Istio's objects in a cluster."""

    HELM = "helm"
    OPERATOR = "operator"


DRAIN_SECONDS = 5
"""Of an Istio proxy that is to end, unless told otherwise."""
VERSIONS: dict[Installer, tuple[tuple[int, int], tuple[float, ...]]] = {
    Installer.HELM: ((1, 30), (inf,)),
    Installer.OPERATOR: ((1, 12), (1, 24)),
}
"""By installer: the first version of Istio, and the first that is too new."""
VERSIONS_TOLD = {
    Installer.HELM: "1.30 or newer; set version and tag to one of these",
    Installer.OPERATOR: "1.12 to 1.23, for Istio 1.24 has no in-cluster operator; set version and tag to one of these, "
    "or installer helm",
}


class Istio(Section):
    """Which Istio, from where, and who installs it."""

    installer: Installer = Installer.HELM
    version: ChartVersion = "1.31.1"
    hub: NonEmpty = "docker.io/istio"
    tag: NonEmpty = "1.31.1"
    charts: Charts = "https://blob.istio.io/istio-release/charts"
    timeout_seconds: TimeoutSeconds = 600
    values: ChartValues = ChartValues()

    @property
    def networking_api(self) -> str:
        """The apiVersion of Istio's routing: by the operator the one that all of its versions serve."""
        by_helm = self.installer is Installer.HELM
        return names.NETWORKING_API if by_helm else names.NETWORKING_API_BEFORE_1_22

    @property
    def drain_seconds(self) -> int:
        """How long a pod that is to end goes on answering; Kubernetes of the operator's time cannot wait."""
        return DRAIN_SECONDS if self.installer is Installer.HELM else 0

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        first, end = VERSIONS[self.installer]
        for key, value in (("version", self.version), ("tag", self.tag)):
            # A mirror may have tags of its own kind, which say nothing of a version.
            found = re.match(r"([0-9]+)\.([0-9]+)[-.0-9A-Za-z]{0,40}", value)
            if found and not first <= (int(found[1]), int(found[2])) < end:
                message = (
                    f"{NAMESPACE}:istio.{key}: got '{found[0]}'; allowed with installer {self.installer} is "
                    f"{VERSIONS_TOLD[self.installer]}"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_charts(self) -> Self:
        if self.installer is not Installer.HELM:
            given = [f"values.{chart}" for chart, values in self.values if values]
            for key in (["charts"] if "charts" in self.model_fields_set else []) + given:
                message = (
                    f"{NAMESPACE}:istio.{key}: is set; allowed with installer helm alone, for the operator brings its "
                    f"own charts: leave it out"
                )
                raise ValueError(message)
        return self


class Images(Section):
    """One image for each version."""

    v1: NonEmpty = "docker.io/istio/examples-helloworld-v1:1.0"
    v2: NonEmpty = "docker.io/istio/examples-helloworld-v2:1.0"


class Requests(Section):
    """What a container is sure to get."""

    cpu: Quantity = "50m"
    memory: Quantity = "64Mi"


class Limits(Section):
    """What a container may take."""

    cpu: Quantity = "200m"
    memory: Quantity = "128Mi"


class Resources(Section):
    """Container requests and limits, in Kubernetes quantities."""

    requests: Requests = Requests()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_more("requests.cpu", self.requests.cpu, "limits.cpu", self.limits.cpu)
        _refuse_more("requests.memory", self.requests.memory, "limits.memory", self.limits.memory)
        return self


def _refuse_more(key: str, quantity: str, limit_key: str, limit: str) -> None:
    if amount(quantity) > amount(limit):
        message = f"{key} is {quantity}; allowed is at most {limit_key}, which is {limit}"
        raise ValueError(message)


class Helloworld(Section):
    """The demo application."""

    images: Images = Images()
    replicas: Replicas = 1
    resources: Resources = Resources()


class Verify(Section):
    """What `python -m ops verify` needs in the clusters."""

    client_image: NonEmpty = "docker.io/curlimages/curl:8.16.0"


class Links(Section):
    """The credentials by which clusters read each other."""

    token_generation: Generation = 1
    read_secrets: bool = True
    """Whether readers may read Secrets. The Istio of 2026-08-27 crashes without, a later one may not: docs/adr/0008."""


class ContainerLimit(Section):
    """Defaults that Rancher gives to a container that names none."""

    limits_cpu: Quantity = "200m"
    limits_memory: Quantity = "128Mi"
    requests_cpu: Quantity = "100m"
    requests_memory: Quantity = "64Mi"

    @model_validator(mode="after")
    def _check(self) -> Self:
        _refuse_more("requestsCpu", self.requests_cpu, "limitsCpu", self.limits_cpu)
        _refuse_more("requestsMemory", self.requests_memory, "limitsMemory", self.limits_memory)
        return self


class Quota(Section):
    """The sum of limits."""

    limits_cpu: Quantity = "12000m"
    limits_memory: Quantity = "12000Mi"


class Project(Section):
    """The Rancher project of istio-system in every cluster with access `rancher`."""

    name: NonEmpty = "istio"
    description: str = "Istio Manage Project"
    container_limit: ContainerLimit = ContainerLimit()
    namespace_quota: Quota = Quota()
    project_quota: Quota = Quota()

    @model_validator(mode="after")
    def _check(self) -> Self:
        inner, outer = self.namespace_quota, self.project_quota
        _refuse_more("namespaceQuota.limitsCpu", inner.limits_cpu, "projectQuota.limitsCpu", outer.limits_cpu)
        _refuse_more(
            "namespaceQuota.limitsMemory", inner.limits_memory, "projectQuota.limitsMemory", outer.limits_memory
        )
        return self


class AppProject(Project):
    """The Rancher project of the application's namespace, likewise."""

    name: NonEmpty = "sample"
    description: str = "Demo application of the mesh"


class Rancher(Section):
    """The Rancher server; its API token is the secret `rancherToken`."""

    url: HttpsUrl
    ca_certs: CaCertificates | None = None
    """PEM of the CA behind `url`; unset means one that every machine trusts."""
    token_ttl_hours: TokenHours = 720
    token_early_renewal_hours: Hours = 240
    token_generation: Generation = 1
    peers_user: bool = True
    """Whether peers read by a Rancher user of their own; without, their token may do all that `rancherToken` may."""
    project: Project = Project()
    app_project: AppProject = AppProject()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.token_early_renewal_hours >= self.token_ttl_hours:
            message = (
                f"tokenEarlyRenewalHours is {self.token_early_renewal_hours}; allowed is less than tokenTtlHours, "
                f"which is {self.token_ttl_hours}"
            )
            raise ValueError(message)
        return self


class KubeconfigAccess(Section):
    """Reached by a kubeconfig file."""

    kind: Literal["kubeconfig"]
    path: KubeconfigPath


class RancherAccess(Section):
    """Reached through Rancher's proxy by a scoped, expiring token."""

    kind: Literal["rancher"]
    cluster_id: RancherClusterId | None = None
    cluster_name: NonEmpty | None = None
    """As Rancher shows it; `rancher_api` finds the id."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cluster_id is None) == (self.cluster_name is None):
            said = "neither is" if self.cluster_id is None else "both are"
            message = f"{said} set of clusterId and clusterName; allowed is one of them"
            raise ValueError(message)
        return self


class Credential(StrEnum):
    """What a peer's istiod shows to this cluster's API."""

    SERVICE_ACCOUNT = "serviceAccount"
    RANCHER_TOKEN = "rancherToken"  # noqa: S105 - a choice, not a token


class Cluster(Section):
    """One Kubernetes cluster of the mesh."""

    name: ClusterName
    network: DnsLabel
    access: Annotated[KubeconfigAccess | RancherAccess, Field(discriminator="kind")]
    locality: Locality | None = None
    versions: tuple[Version, ...] = ()
    peer_server: HttpsUrl | None = None
    """The API address that peers use, where it differs from the program's own."""
    peer_ca_certs: CaCertificates | None = None
    """PEM of the CA behind `peer_server`; unset means the cluster's own."""
    link_credential: Credential | None = None
    """Unset: a service account for access `kubeconfig`, a Rancher token for access `rancher`."""
    namespace_node_selector: NodeSelector | None = None
    """Node selector of istio-system, such as `role=ingress`; needs the PodNodeSelector admission plugin."""

    @property
    def credential(self) -> Credential:
        """The credential that links from this cluster use."""
        if self.link_credential is not None:
            return self.link_credential
        if isinstance(self.access, RancherAccess):
            return Credential.RANCHER_TOKEN
        return Credential.SERVICE_ACCOUNT

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.versions)) != len(self.versions):
            message = f"versions {[str(v) for v in self.versions]} name one version twice; allowed is each once"
            raise ValueError(message)
        if self.link_credential is Credential.RANCHER_TOKEN and isinstance(self.access, KubeconfigAccess):
            message = "linkCredential rancherToken needs access of kind rancher; allowed here: serviceAccount"
            raise ValueError(message)
        if self.peer_ca_certs is not None and self.peer_server is None:
            message = "peerCaCerts is set without peerServer, whose CA it is; allowed are both, or peerServer alone"
            raise ValueError(message)
        if self.peer_server is not None and self.peer_ca_certs is None and self.credential is Credential.RANCHER_TOKEN:
            message = (
                "peerServer with linkCredential rancherToken needs peerCaCerts: the token brings no CA of the cluster; "
                "set peerCaCerts, or linkCredential serviceAccount"
            )
            raise ValueError(message)
        return self


def _empty_is_unset(value: object) -> object:
    # Pulumi.yaml can declare an optional object only with a default, and the default only as an empty one.
    return None if value == {} else value


class Settings(Section):
    """The whole stack config, secrets excepted."""

    mesh: Mesh
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    v2_weight: Percent
    audiences: tuple[Audience, ...] = ()
    failover: Failover = Failover()
    trust: Trust = Trust()
    istio: Istio = Istio()
    helloworld: Helloworld = Helloworld()
    links: Links = Links()
    verify: Verify = Verify()
    rancher: Annotated[Rancher | None, BeforeValidator(_empty_is_unset)] = None

    @model_validator(mode="after")
    def _check_clusters(self) -> Self:
        for label in ("name", "network"):
            seen: dict[str, int] = {}
            for index, cluster in enumerate(self.clusters):
                value = getattr(cluster, label)
                if value in seen:
                    message = (
                        f"{NAMESPACE}:clusters[{index}].{label}: '{value}' is also that of clusters[{seen[value]}]; "
                        f"allowed is one {label} for each cluster"
                    )
                    raise ValueError(message)
                seen[value] = index
        return self

    @property
    def regions(self) -> tuple[str, ...]:
        """The clusters' regions, each once, in the order of the clusters."""
        return tuple(dict.fromkeys(cluster.locality.region for cluster in self.clusters if cluster.locality))

    @property
    def fails_over(self) -> bool:
        """Whether clients watch endpoints and leave their own cluster when it is dead."""
        return self.istio.installer is Installer.HELM and self.failover.is_on(self.regions)

    def is_within(self, cluster: str, region: str | None) -> bool:
        """Whether a cluster is in a region; none stands for all of them."""
        return region in {None, self._region_by_cluster[cluster]}

    def v2_weight_for(self, cluster: str, headers: Mapping[str, str]) -> int:
        """Percent of v2 among the answers to such requests from a cluster."""
        for audience in self.audiences:
            if self.is_within(cluster, audience.region) and audience.means(headers):
                return 100 if audience.version is Version.V2 else 0
        return self.v2_weight

    @property
    def _region_by_cluster(self) -> Mapping[str, str | None]:
        return {cluster.name: cluster.locality.region if cluster.locality else None for cluster in self.clusters}

    @model_validator(mode="after")
    def _check_localities(self) -> Self:
        lacking = [index for index, cluster in enumerate(self.clusters) if cluster.locality is None]
        if self.regions and lacking:
            message = (
                f"{NAMESPACE}:clusters[{lacking[0]}].locality: missing, and other clusters have one; "
                f"allowed is a locality for each cluster or for none"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_failover(self) -> Self:
        if self.failover.enabled and self.istio.installer is not Installer.HELM:
            message = (
                f"{NAMESPACE}:failover.enabled: got true; allowed with installer helm alone, for Istio before 1.20 "
                f"cannot both prefer a cluster and sort regions: leave it out"
            )
            raise ValueError(message)
        self.failover.check(self.regions)
        return self

    @model_validator(mode="after")
    def _check_audiences(self) -> Self:
        run = {version for cluster in self.clusters for version in cluster.versions}
        check_audiences(self.audiences, self._region_by_cluster, run)
        return self

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        run = {version for cluster in self.clusters for version in cluster.versions}
        for version, weight in ((Version.V1, 100 - self.v2_weight), (Version.V2, self.v2_weight)):
            if weight and version not in run:
                message = (
                    f"{NAMESPACE}:v2Weight: {self.v2_weight} sends {weight} % to {version}, which no cluster runs; "
                    f"add {version} to a cluster's versions, or set the weight to {100 if version is Version.V1 else 0}"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_links(self) -> Self:
        if self.istio.installer is Installer.OPERATOR and not self.links.read_secrets:
            message = (
                f"{NAMESPACE}:links.readSecrets: got false; allowed with installer operator is true, for no istiod "
                f"before 1.31 can do without its peers' Secrets"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_rancher(self) -> Self:
        for index, cluster in enumerate(self.clusters):
            if isinstance(cluster.access, RancherAccess) and self.rancher is None:
                message = (
                    f"{NAMESPACE}:rancher: missing, and clusters[{index}] has access rancher; "
                    f"set the Rancher server's url"
                )
                raise ValueError(message)
        return self


def known_keys(place: Iterable[str | int]) -> list[str]:
    """The keys of the section at a place, as pydantic names places: a chosen kind of access is a part of them."""
    sections: list[type[Section]] = [Settings]
    for part in place:
        fields = [info for section in sections for info in section.model_fields.values() if info.alias == part]
        if fields:
            sections = [section for info in fields for section in sections_within(info.annotation)]
        elif isinstance(part, str):
            sections = [each for each in sections if part in get_args(each.model_fields["kind"].annotation)]
    return sorted(str(info.alias) for section in sections for info in section.model_fields.values())
