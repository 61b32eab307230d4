"""The mesh, one ComponentResource a module, each with its Args."""

from components._istio_install_args import HelmInstallerArgs, IstioInstallArgs, OperatorInstallerArgs
from components.helloworld_app import HelloworldApp, HelloworldAppArgs
from components.istio_install import IstioInstall
from components.mesh_link import Ca, MeshLink, MeshLinkArgs, RancherTokenArgs, ServiceAccountArgs
from components.mesh_trust import BroughtRootArgs, Intermediate, MadeRootArgs, MeshTrust, MeshTrustArgs
from components.rancher_cluster import (
    KubeconfigAccessArgs,
    Peers,
    PeersUserArgs,
    ProjectArgs,
    RancherAccessArgs,
    RancherCluster,
    RancherClusterArgs,
)

__all__ = [
    "BroughtRootArgs",
    "Ca",
    "HelloworldApp",
    "HelloworldAppArgs",
    "HelmInstallerArgs",
    "Intermediate",
    "IstioInstall",
    "IstioInstallArgs",
    "KubeconfigAccessArgs",
    "MadeRootArgs",
    "MeshLink",
    "MeshLinkArgs",
    "MeshTrust",
    "MeshTrustArgs",
    "OperatorInstallerArgs",
    "Peers",
    "PeersUserArgs",
    "ProjectArgs",
    "RancherAccessArgs",
    "RancherCluster",
    "RancherClusterArgs",
    "RancherTokenArgs",
    "ServiceAccountArgs",
]
