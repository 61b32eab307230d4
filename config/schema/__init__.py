"""The schema of the stack config: one section in each module."""

from config.schema.audiences import Audience
from config.schema.cluster import Cluster, Credential, KubeconfigAccess, RancherAccess
from config.schema.failover import Failover
from config.schema.istio import Installer, Istio
from config.schema.locality import Locality
from config.schema.rancher import Project, Quota, Rancher
from config.schema.settings import Settings
from config.schema.version import Version

__all__ = [
    "Audience",
    "Cluster",
    "Credential",
    "Failover",
    "Installer",
    "Istio",
    "KubeconfigAccess",
    "Locality",
    "Project",
    "Quota",
    "Rancher",
    "RancherAccess",
    "Settings",
    "Version",
]
