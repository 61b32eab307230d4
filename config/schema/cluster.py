"""Section `clusters[]`: one Kubernetes cluster of the mesh, and the access to it."""

from collections.abc import Mapping
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
    """Access by a kubeconfig file."""

    kind: Literal["kubeconfig"]
    """The kind of access: a kubeconfig file."""
    path: KubeconfigPath
    """The path of a kubeconfig with inline credentials; a leading `~` is the home folder."""


class RancherAccess(Section):
    """Access through Rancher's proxy, by scoped and expiring tokens that the program creates."""

    kind: Literal["rancher"]
    """The kind of access: Rancher's proxy. The section `rancher` must be set."""
    cluster_id: RancherClusterId | None = None
    """Rancher's id of the cluster. Set either this or `clusterName`."""
    cluster_name: NonEmpty | None = None
    """The cluster's name in Rancher, which must be unique there. Set either this or `clusterId`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cluster_id is None) == (self.cluster_name is None):
            got = "neither" if self.cluster_id is None else "both"
            raise ValueError(f"got {got} of clusterId and clusterName; allowed: exactly one of them")
        return self


class Credential(StrEnum):
    """The credential of a peer's istiod for this cluster's API."""

    SERVICE_ACCOUNT = "serviceAccount"
    """The token of a service account of this cluster."""
    RANCHER_TOKEN = "rancherToken"  # noqa: S105 - a choice, not a token
    """A Rancher token that is scoped to this cluster."""


class Cluster(Section):
    """One Kubernetes cluster of the mesh."""

    name: ClusterName
    """Istio's name of the cluster; unique in the mesh, and without the word `to`."""
    network: DnsLabel
    """Istio's network of the cluster; unique in the mesh."""
    access: Annotated[KubeconfigAccess | RancherAccess, Field(discriminator="kind")]
    """How the program reaches the cluster's API: by a kubeconfig or through Rancher."""
    away: bool = False
    """
    Whether the cluster is away, because it does not answer or is about to be taken out. Nothing in it is then asked
    for, changed or deleted, its peers read nothing of it, and versions that run only here get no requests.
    """
    locality: Locality | None = None
    """The location of the cluster. Set it for all clusters or for none."""
    versions: tuple[Version, ...] = ()
    """The versions of helloworld that run in the cluster. If unset, none runs here."""
    peer_server: HttpsUrl | None = None
    """
    The API address for peers. If unset, peers use the kubeconfig's server, or Rancher's proxy with access `rancher`.
    """
    peer_ca_certs: CaCertificates | None = None
    """
    The CA of the certificate behind `peerServer`: its PEM, or the absolute path of a PEM file. If unset, it is the
    cluster's own CA. Required if peers use a Rancher token there.
    """
    link_credential: Credential | None = None
    """
    The credential of peers. If unset, a service account with access `kubeconfig`, and a Rancher token with access
    `rancher`. Rancher's proxy accepts a service account only in clusters with JWT authentication, so with access
    `rancher` it needs a `peerServer`.
    """
    namespace_node_selector: NodeSelector | None = None
    """
    Node selector of istio-system, such as `role=ingress`. It needs the admission plugin PodNodeSelector. If unset, pods
    run on any node.
    """

    @property
    def unique(self) -> Mapping[str, str]:
        """The values that no other cluster may have, by key: its names, and what leads to it."""
        access = self.access.model_dump(exclude={"kind"}, exclude_none=True, by_alias=True)
        return {"name": self.name, "network": self.network} | {f"access.{key}": str(it) for key, it in access.items()}

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
            raise ValueError(f".versions: got {', '.join(self.versions)}; allowed: each version once")
        if self.link_credential is Credential.RANCHER_TOKEN and isinstance(self.access, KubeconfigAccess):
            raise ValueError(
                ".linkCredential: got 'rancherToken'; allowed with access kubeconfig: serviceAccount. "
                "Remove the key, or use access rancher"
            )
        if self.peer_ca_certs is not None and self.peer_server is None:
            raise ValueError(
                ".peerCaCerts: set without peerServer; allowed: only with it. Set peerServer, or remove the key"
            )
        if self.peer_server is not None and self.peer_ca_certs is None and self.credential is Credential.RANCHER_TOKEN:
            raise ValueError(
                ".peerCaCerts: missing, and required with peerServer and linkCredential rancherToken, since the token "
                "comes without a CA. Set it, or set linkCredential to serviceAccount"
            )
        return self
