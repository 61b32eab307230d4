"""The Args of `IstioInstall`: those common to both installers, and those of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi_kubernetes as k8s
from pulumi import Input, Resource

from mesh.istio_charts import RenderedRelease
from mesh.istio_values import ControlPlane


@dataclass(frozen=True, kw_only=True, eq=False)
class HelmInstallerArgs:
    """Install Istio from its Helm charts."""

    releases: Mapping[str, RenderedRelease]
    """The rendered releases by name: `base`, `istiod`, and one for each gateway."""
    crd_provider: k8s.Provider
    """The provider of CRDs, which adopts existing ones."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatorInstallerArgs:
    """Install Istio by the operator that already runs in the cluster; it has its own charts and takes no values."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Readiness:
    """What an object that needs Istio is created after."""

    injects: Sequence[Resource]
    """Pods that are created after these get their sidecar; istiod reads remote secrets."""
    accepts: Sequence[Resource]
    """Istio's objects that are created after these have their CRDs, and the webhook that checks them runs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IstioInstallArgs:
    """What one cluster needs as a primary of the mesh."""

    control_plane: ControlPlane
    cacerts: Input[Mapping[str, str]] = field(repr=False)
    """The four entries of the Secret, PEM by file name; a secret."""
    networking_api: str
    """The apiVersion of Istio's Gateway; a change replaces the object."""
    installer: HelmInstallerArgs | OperatorInstallerArgs
