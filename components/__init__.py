"""The mesh as component resources: one in each module, with its Args beside it."""

from components.helloworld_app import HelloworldApp, HelloworldAppArgs
from components.istio_install import IstioInstall
from components.istio_install_args import HelmInstallerArgs, IstioInstallArgs, OperatorInstallerArgs, Readiness
from components.mesh_link import Ca, MeshLink, MeshLinkArgs, RancherTokenArgs, ServiceAccountArgs
from components.mesh_trust import GeneratedRootArgs, Intermediate, MeshTrust, MeshTrustArgs, ProvidedRootArgs
from components.rancher_cluster import RancherCluster
from components.rancher_cluster_args import (
    KubeconfigAccessArgs,
    PeersUserArgs,
    PeerToken,
    RancherAccessArgs,
    RancherClusterArgs,
)

__all__ = [
    "Ca",
    "GeneratedRootArgs",
    "HelloworldApp",
    "HelloworldAppArgs",
    "HelmInstallerArgs",
    "Intermediate",
    "IstioInstall",
    "IstioInstallArgs",
    "KubeconfigAccessArgs",
    "MeshLink",
    "MeshLinkArgs",
    "MeshTrust",
    "MeshTrustArgs",
    "OperatorInstallerArgs",
    "PeerToken",
    "PeersUserArgs",
    "ProvidedRootArgs",
    "RancherAccessArgs",
    "RancherCluster",
    "RancherClusterArgs",
    "RancherTokenArgs",
    "Readiness",
    "ServiceAccountArgs",
]
