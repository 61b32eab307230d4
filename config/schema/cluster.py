"""Section `clusters[]`: one Kubernetes cluster of the mesh, and how it is reached."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.base import Section
from config.schema.locality import Locality
from config.schema.version import Version
from config.types import (
    CaCertificates,
    ClusterName,
    DnsLabel,
    HttpsUrl,
    KubeconfigPath,
    NodeSelector,
    NonEmpty,
    RancherClusterId,
)


class KubeconfigAccess(Section):
    """Reached by a kubeconfig file."""

    kind: Literal["kubeconfig"]
    path: KubeconfigPath


class RancherAccess(Section):
    """Reached through Rancher's proxy by a scoped, expiring token."""

    kind: Literal["rancher"]
    cluster_id: RancherClusterId | None = None
    cluster_name: NonEmpty | None = None
    """As Rancher shows it; `config.preflight` finds the id."""

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
