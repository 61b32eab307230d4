"""The Args of `RancherCluster`: the cluster, and its access by a kubeconfig or through Rancher."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import pulumi_rancher2 as rancher2
from pulumi import Input

from mesh.reader_rules import ReaderRights


@dataclass(frozen=True, kw_only=True, eq=False)
class KubeconfigAccessArgs:
    """Access by a kubeconfig from outside the program."""

    kubeconfig: Input[str] = field(repr=False)
    """The whole text with inline credentials; a secret."""


class PeerToken(Enum):
    """The Rancher token that peers get if they have no Rancher user of their own."""

    NONE = auto()
    """Peers get no Rancher token."""
    PROGRAM_USER = auto()
    """Peers get a token of the program's own user, with all rights of that user."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PeersUserArgs:
    """A Rancher user for the peers of one cluster, which can read there only what their istiod needs."""

    username: str
    """The user's name, unique on the Rancher server."""
    rights: ReaderRights
    """What the user can read in the cluster; `IstioInstall` of the peers must get the same value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RancherAccessArgs:
    """Access through Rancher's proxy by tokens that the component creates."""

    url: str
    """The Rancher server, with its path if a proxy serves it below one."""
    ca_certs: str | None
    """PEM of the CA behind `url`; `None` means the machine's own trust store."""
    cluster_id: str
    """Rancher's id, such as `c-f7r9g`."""
    token_ttl_hours: int
    """Lifetime of each token, in hours."""
    token_rotation: int
    """
    Number of the token rotation.

    Incrementing it activates the program's standby token, creates the next standby and rotates the peers' token.
    """
    token_expiry: str
    """The earliest expiry of a token that this rotation creates, RFC 3339."""
    active_token_expiry: str
    """The earliest expiry of the program's active token, which the previous rotation created, RFC 3339."""
    project: Mapping[str, Any]
    """The project of istio-system: `rancher.project` of the config, with keys in snake case."""
    app_project: Mapping[str, Any]
    """The project of the application's namespace: `rancher.appProject` of the config, in the same form."""
    peers: PeersUserArgs | PeerToken
    """The Rancher user of the peers, or the token that they get without one."""
    provider: rancher2.Provider


@dataclass(frozen=True, kw_only=True, eq=False)
class RancherClusterArgs:
    """One cluster, and how the program reaches it."""

    cluster_name: str
    network: str
    access: KubeconfigAccessArgs | RancherAccessArgs
    identity: str | None
    """What a cluster that was rebuilt under the same name does not keep; `None` while the cluster is away."""
    namespace_node_selector: str | None = None
    """Node selector of istio-system; `None` for all nodes."""
    adopts_istio_namespace: bool = False
    """Whether to take over an existing istio-system, as an Istio operator leaves it."""
