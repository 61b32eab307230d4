"""Section `mesh`: what all clusters share."""

from config.base import Section
from config.types import DnsLabel, TrustDomain


class Mesh(Section):
    """What all clusters share."""

    id: DnsLabel
    trust_domain: TrustDomain = "cluster.local"
