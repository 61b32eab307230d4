"""What the stack config may say: sections, types, and the rules that tie keys to each other. Reads nothing."""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from components import _names, _root_ca

NAMESPACE = "mcsps"
DNS_LABEL_MAX = 63


class Version(StrEnum):
    """A version of helloworld."""

    V1 = "v1"
    V2 = "v2"


def _check_dns_label(value: str) -> str:
    if len(value) > DNS_LABEL_MAX or not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", value):
        message = "allowed is a DNS label: a-z, 0-9 and '-', a letter or digit at both ends, at most 63 characters"
        raise ValueError(message)
    return value


def _check_cluster_name(value: str) -> str:
    if len(value) > _names.CLUSTER_NAME_MAX:
        message = (
            f"{len(value)} characters are too long: at most {_names.CLUSTER_NAME_MAX} leave room for the common name "
            f"of the cluster's intermediate CA"
        )
        raise ValueError(message)
    if "to" in value.split("-"):
        message = "the word 'to' joins two clusters in the name of a link; allowed is a name without it"
        raise ValueError(message)
    return value


def _check_https(value: str) -> str:
    if not re.fullmatch(r"https://[^/\s@?#]+(/[^\s?#]*)?", value):
        message = "allowed is an https:// URL with a host, and without credentials, query or fragment"
        raise ValueError(message)
    return value.rstrip("/")


def _check_charts(value: str) -> str:
    if not value.startswith(("https://", "oci://", "/")):
        message = "allowed is an https:// repository, an oci:// registry, or the absolute path of a folder"
        raise ValueError(message)
    return value.rstrip("/")


def _check_path(value: object) -> object:
    if isinstance(value, str) and not value.isprintable():
        message = "allowed is the path of a file, and not what is in it"
        raise ValueError(message)
    return value


def _check_root_certificate(value: str) -> str:
    _root_ca.read_root(value, datetime.now(UTC))
    return value


def _refuse_boolean(value: object) -> object:
    if isinstance(value, bool):
        message = "allowed is a whole number"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError under the key
    return value


def _empty_is_unset(value: object) -> object:
    # Pulumi.yaml can declare an optional object only with a default, and the default only as an empty one.
    return value or None


DnsLabel = Annotated[str, AfterValidator(_check_dns_label)]
ClusterName = Annotated[DnsLabel, AfterValidator(_check_cluster_name)]
HttpsUrl = Annotated[str, AfterValidator(_check_https)]
Charts = Annotated[str, AfterValidator(_check_charts)]
KubeconfigPath = Annotated[Path, BeforeValidator(_check_path)]
RootCertificate = Annotated[str, AfterValidator(_check_root_certificate)]
Whole = Annotated[int, BeforeValidator(_refuse_boolean)]
Hours = Annotated[Whole, Field(ge=1)]
Generation = Annotated[Whole, Field(ge=1)]
Percent = Annotated[Whole, Field(ge=0, le=100)]
Values = dict[str, Any]


class Section(BaseModel):
    """A part of the config: camelCase keys, no others, never changed."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_keys(cls, data: object) -> object:
        if isinstance(data, Mapping):
            allowed = sorted(info.alias or name for name, info in cls.model_fields.items())
            for key in data:
                if key not in allowed:
                    close = difflib.get_close_matches(str(key), allowed, n=1)
                    hint = f"; did you mean '{close[0]}'?" if close else "."
                    message = f"unknown key '{key}'{hint} Allowed: {', '.join(allowed)}"
                    raise ValueError(message)
        return data


class Mesh(Section):
    """What all clusters share."""

    id: DnsLabel
    trust_domain: str = "cluster.local"


class Trust(Section):
    """The root CA and the intermediates."""

    root_certificate: RootCertificate | None = None
    """PEM of a root that the user brings; its key is the secret `rootPrivateKey`."""
    root_validity_hours: Hours = 87600
    intermediate_validity_hours: Hours = 8760
    intermediate_early_renewal_hours: Hours = 2920
    root_generation: Generation = 1
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
        if self.root_certificate is None and self.intermediate_validity_hours > self.root_validity_hours:
            message = (
                f"intermediateValidityHours is {self.intermediate_validity_hours}; allowed is at most "
                f"rootValidityHours, which is {self.root_validity_hours}"
            )
            raise ValueError(message)
        return self


class ChartValues(Section):
    """Helm values laid over the program's own, by chart."""

    base: Values = Field(default_factory=dict)
    istiod: Values = Field(default_factory=dict)
    gateway: Values = Field(default_factory=dict)


class Istio(Section):
    """Which Istio, and from where."""

    version: str = "1.31.1"
    hub: str = "docker.io/istio"
    tag: str = "1.31.1"
    charts: Charts = "https://blob.istio.io/istio-release/charts"
    timeout_seconds: Annotated[Whole, Field(ge=10, le=3600)] = 600
    values: ChartValues = ChartValues()


class Images(Section):
    """One image for each version."""

    v1: str = "docker.io/istio/examples-helloworld-v1:1.0"
    v2: str = "docker.io/istio/examples-helloworld-v2:1.0"


class Resources(Section):
    """Container requests and limits, in Kubernetes quantities."""

    requests: dict[str, str]
    limits: dict[str, str]


class Helloworld(Section):
    """The demo application."""

    images: Images = Images()
    replicas: Annotated[Whole, Field(ge=1, le=100)] = 1
    resources: Resources = Resources(
        requests={"cpu": "50m", "memory": "64Mi"}, limits={"cpu": "200m", "memory": "128Mi"}
    )


class Verify(Section):
    """What `python -m ops verify` needs in the clusters."""

    client_image: str = "docker.io/curlimages/curl:8.16.0"


class Links(Section):
    """The credentials by which clusters read each other."""

    token_generation: Generation = 1
    read_secrets: bool = True
    """Whether readers may read Secrets. Istio 1.31.0 crashes without (docs/adr/0008); a later one need not."""


class ContainerLimit(Section):
    """Defaults that Rancher gives to a container that names none."""

    limits_cpu: str = "200m"
    limits_memory: str = "128Mi"
    requests_cpu: str = "100m"
    requests_memory: str = "64Mi"


class Quota(Section):
    """The sum of limits."""

    limits_cpu: str = "12000m"
    limits_memory: str = "12000Mi"


class Project(Section):
    """The Rancher project of every cluster with access `rancher`."""

    name: str = "istio"
    description: str = "Istio Manage Project"
    container_limit: ContainerLimit = ContainerLimit()
    namespace_quota: Quota = Quota()
    project_quota: Quota = Quota()


class Rancher(Section):
    """The Rancher server; its API token is the secret `rancherToken`."""

    url: HttpsUrl
    ca_certs: str | None = None
    """PEM of the CA behind `url`; unset means one that every machine trusts."""
    token_ttl_hours: Annotated[Whole, Field(ge=1, le=8760)] = 720
    token_generation: Generation = 1
    project: Project = Project()


class KubeconfigAccess(Section):
    """Reached by a kubeconfig file."""

    kind: Literal["kubeconfig"]
    path: KubeconfigPath


class RancherAccess(Section):
    """Reached through Rancher's proxy by a scoped, expiring token."""

    kind: Literal["rancher"]
    cluster_id: Annotated[str, Field(pattern=r"^(c-[a-z0-9-]+|local)$")]


class Credential(StrEnum):
    """What a peer's istiod shows to this cluster's API."""

    SERVICE_ACCOUNT = "serviceAccount"
    RANCHER_TOKEN = "rancherToken"  # noqa: S105 - a choice, not a token


class Cluster(Section):
    """One Kubernetes cluster of the mesh."""

    name: ClusterName
    network: DnsLabel
    access: Annotated[KubeconfigAccess | RancherAccess, Field(discriminator="kind")]
    versions: tuple[Version, ...] = ()
    peer_server: HttpsUrl | None = None
    """The API address that peers use, where it differs from the kubeconfig's."""
    link_credential: Credential | None = None
    """Unset: a service account for access `kubeconfig`, a Rancher token for access `rancher`."""
    namespace_node_selector: str | None = None
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
            message = f"versions {[str(v) for v in self.versions]} name one version twice"
            raise ValueError(message)
        if self.link_credential is Credential.RANCHER_TOKEN and isinstance(self.access, KubeconfigAccess):
            message = "linkCredential rancherToken needs access of kind rancher; allowed here: serviceAccount"
            raise ValueError(message)
        return self


class Settings(Section):
    """The whole stack config, secrets excepted."""

    mesh: Mesh
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    v2_weight: Percent
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
    def _check_rancher(self) -> Self:
        for index, cluster in enumerate(self.clusters):
            if isinstance(cluster.access, RancherAccess) and self.rancher is None:
                message = (
                    f"{NAMESPACE}:rancher: missing, and clusters[{index}] has access rancher; "
                    f"set the Rancher server's url"
                )
                raise ValueError(message)
        return self
