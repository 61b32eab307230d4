"""Specs of the two IstioOperator resources for Istio's in-cluster operator, as plain data."""

from collections.abc import Mapping
from typing import Any

from mesh import gateways, istio_values, names
from mesh.gateways import Gateway
from mesh.istio_values import ControlPlane

# The operator's Services would open istiod's ports on the east-west load balancer, and Pulumi would not see their
# addresses.
_NO_SERVICE = {"customService": True}


def control_plane_spec(control_plane: ControlPlane) -> dict[str, Any]:
    """The spec of the control plane with the ingress and the egress gateway."""
    return {
        "profile": "demo",
        "hub": control_plane.hub,
        "tag": control_plane.tag,
        "meshConfig": istio_values.mesh_config(control_plane.trust_domain),
        "components": {
            "pilot": {"k8s": {"resources": istio_values.ISTIOD_RESOURCES}},
            "ingressGateways": [_gateway(names.INGRESS_GATEWAY), *map(_labelled, _others())],
            "egressGateways": [_gateway(names.EGRESS_GATEWAY)],
        },
        "values": {
            "global": {
                "meshID": control_plane.mesh_id,
                "multiCluster": {"clusterName": control_plane.cluster_name, "enabled": True},
                "network": control_plane.network,
                "proxy": {"resources": istio_values.PROXY_RESOURCES},
            },
            # The operator's key for the chart's `env`.
            "pilot": {"env": istio_values.MULTIROOT},
            "gateways": {names.INGRESS_GATEWAY: _NO_SERVICE, names.EGRESS_GATEWAY: _NO_SERVICE},
        },
    }


def eastwest_spec(control_plane: ControlPlane) -> dict[str, Any]:
    """The spec of the east-west gateway alone, which the other resource's istiod injects."""
    network = control_plane.network
    gateway = _gateway(names.EASTWEST_GATEWAY, env=[{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": network}])
    labels = {**istio_values.gateway_labels(names.EASTWEST_GATEWAY), names.NETWORK_LABEL: network}
    return {
        "profile": "empty",
        "hub": control_plane.hub,
        "tag": control_plane.tag,
        "components": {"ingressGateways": [{**gateway, "label": labels}]},
        "values": {
            "global": {"network": network},
            # Applies to every ingress gateway in this resource, whatever its name.
            "gateways": {names.INGRESS_GATEWAY: {"injectionTemplate": "gateway", **_NO_SERVICE}},
        },
    }


def _others() -> list[Gateway]:
    return [each for each in gateways.GATEWAYS if each not in {gateways.INGRESS, gateways.EGRESS, gateways.EASTWEST}]


def _labelled(gateway: Gateway) -> Mapping[str, Any]:
    # The operator gives every ingress gateway the labels of its own one.
    return {**_gateway(gateway.release), "label": istio_values.gateway_labels(gateway.release)}


def _gateway(release: str, **kubernetes: object) -> Mapping[str, Any]:
    return {"name": release, "enabled": True, "k8s": {"resources": istio_values.PROXY_RESOURCES, **kubernetes}}
