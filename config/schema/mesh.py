"""Section `mesh`: the identity of the mesh."""

from config.base import Section
from config.types import DnsLabel, TrustDomain


class Mesh(Section):
    """The identity of the mesh, which all clusters share."""

    id: DnsLabel
    """Istio's mesh id. On a Rancher server each stack needs its own, since the names of Rancher users contain it."""
    trust_domain: TrustDomain = "cluster.local"
    """The SPIFFE trust domain of all workloads."""
