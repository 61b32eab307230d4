"""What `IstioInstall` is told: what holds whoever installs Istio, and what is for one of the two installers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Input

from mesh.istio_values import ControlPlane
from mesh.reader_rules import ReaderRights


@dataclass(frozen=True, kw_only=True, eq=False)
class HelmInstallerArgs:
    """Istio from its Helm charts."""

    charts: str
    """An https:// repository, an oci:// registry, or a folder."""
    chart_version: str
    """Ignored for a folder."""
    peer_rights: ReaderRights
    """What istiod may read in its peers."""
    gateway_locality: str | None
    """Istio's locality of the gateways' pods; none for that of their nodes."""
    crd_provider: k8s.Provider
    """For the chart `base`, whose CRDs may be there already; it holds a ValidatingWebhookConfiguration besides."""
    base_values: Mapping[str, Any]
    istiod_values: Mapping[str, Any]
    gateway_values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatorInstallerArgs:
    """Istio from the operator that runs in the cluster already: it brings the charts, and takes no values of theirs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IstioInstallArgs:
    """What one cluster needs to be a primary of the mesh."""

    control_plane: ControlPlane
    cacerts: Input[Mapping[str, str]] = field(repr=False)
    """The four entries of the Secret, PEM by file name; a secret."""
    networking_api: str
    """The apiVersion of Istio's Gateway; with another the object is another resource."""
    installer: HelmInstallerArgs | OperatorInstallerArgs
