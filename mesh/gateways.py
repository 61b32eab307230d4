"""The gateways of a cluster, for either installer: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh import names


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A gateway and the Service before it."""

    role: str
    release: str
    """The name of its Deployment and its Service."""
    service_type: str
    ports: Mapping[str, int] = field(hash=False)
    """Port of the Service by name, beside that of the health check."""
    serves_other_networks: bool = False

    def network(self, own: str) -> str | None:
        """The network that it serves to others, if it does."""
        return own if self.serves_other_networks else None


_WEB = {"http2": names.HTTP_PORT, "https": names.HTTPS_PORT}
INGRESS = Gateway(role="ingress", release=names.INGRESS_GATEWAY, service_type="LoadBalancer", ports=_WEB)
EGRESS = Gateway(role="egress", release=names.EGRESS_GATEWAY, service_type="ClusterIP", ports=_WEB)
EASTWEST = Gateway(
    role="eastwest",
    release=names.EASTWEST_GATEWAY,
    service_type="LoadBalancer",
    # Istio's own Service would also open istiod's ports, which no peer primary needs.
    ports={"tls": names.CROSS_NETWORK_PORT},
    serves_other_networks=True,
)
GATEWAYS = (INGRESS, EGRESS, EASTWEST)
"""In the order in which they are registered. Another one needs an entry here and nothing else."""
