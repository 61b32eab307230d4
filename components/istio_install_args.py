"""The Args of `IstioInstall`: those common to both installers, and those of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Input

from mesh.istio_values import ControlPlane
from mesh.reader_rules import ReaderRights


@dataclass(frozen=True, kw_only=True, eq=False)
class HelmInstallerArgs:
    """Install Istio from its Helm charts."""

    charts: str
    """An https:// repository, an oci:// registry, or a folder."""
    chart_version: str
    """The charts' version; ignored for a folder."""
    peer_rights: ReaderRights
    """What istiod can read in its peers."""
    gateway_locality: str | None
    """Istio's locality of the gateways' pods; `None` for that of their nodes."""
    crd_provider: k8s.Provider
    """The provider of the chart `base`, which adopts existing CRDs and the ValidatingWebhookConfiguration."""
    values: Mapping[str, Mapping[str, Any]]
    """Helm values that override the program's own, by chart: `base`, `istiod` and `gateway`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatorInstallerArgs:
    """Install Istio by the operator that already runs in the cluster; it has its own charts and takes no values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IstioInstallArgs:
    """What one cluster needs as a primary of the mesh."""

    control_plane: ControlPlane
    cacerts: Input[Mapping[str, str]] = field(repr=False)
    """The four entries of the Secret, PEM by file name; a secret."""
    networking_api: str
    """The apiVersion of Istio's Gateway; a change replaces the object."""
    installer: HelmInstallerArgs | OperatorInstallerArgs
