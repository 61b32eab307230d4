"""The gateways of a cluster, for both installers: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh import istio_values, names

_LOAD_BALANCER = "LoadBalancer"


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A gateway and its Service."""

    role: str
    """The suffix of the logical names."""
    release: str
    """The name of the Deployment and the Service."""
    service_type: str
    """The type of the Service."""
    ports: Mapping[str, int] = field(hash=False)
    """Port of the Service by name, without the port of the health check."""
    serves_other_networks: bool = False
    """Whether clients of other networks reach this cluster's services through it."""

    @property
    def has_load_balancer(self) -> bool:
        """Whether the cloud or the cluster gives the Service an address."""
        return self.service_type == _LOAD_BALANCER

    def service_annotations(self, timeout_seconds: int) -> dict[str, str]:
        """
        The annotations by which Pulumi decides that the Service is ready.

        A load balancer is ready with its address, which the program reads. Pulumi's own rule also waits ten seconds for
        endpoints to settle, which nothing needs.
        """
        if not self.has_load_balancer:
            return {names.SKIP_AWAIT: "true"}
        return {
            names.WAIT_FOR: "jsonpath={.status.loadBalancer.ingress[0]}",
            **istio_values.timeout_annotation(timeout_seconds),
        }

    def network(self, own: str) -> str | None:
        """The network that the gateway serves to clients of other networks; `None` if it serves none."""
        return own if self.serves_other_networks else None


_WEB = {"http2": names.HTTP_PORT, "https": names.HTTPS_PORT}
INGRESS = Gateway(role="ingress", release=names.INGRESS_GATEWAY, service_type=_LOAD_BALANCER, ports=_WEB)
EGRESS = Gateway(role="egress", release=names.EGRESS_GATEWAY, service_type="ClusterIP", ports=_WEB)
EASTWEST = Gateway(
    role="eastwest",
    release=names.EASTWEST_GATEWAY,
    service_type=_LOAD_BALANCER,
    # Istio's own Service would also open istiod's ports, which peers of a multi-primary mesh do not need.
    ports={"tls": names.CROSS_NETWORK_PORT},
    serves_other_networks=True,
)
GATEWAYS = (INGRESS, EGRESS, EASTWEST)
"""All gateways, in the order of their registration. A new gateway needs an entry here only."""
