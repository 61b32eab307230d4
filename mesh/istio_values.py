"""Helm values and chart sources for Istio: plain values in, plain values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh import names
from mesh.reader_rules import ReaderRights

Values = Mapping[str, Any]

_NAMESPACED = f"namespaces/{names.ISTIO_NAMESPACE}"
_RBAC = "rbac.authorization.k8s.io"
ISTIOD_NEEDS = (
    f"/{_NAMESPACED}/ConfigMap/istio",
    f"/{_NAMESPACED}/ConfigMap/istio-sidecar-injector",
    f"/{_NAMESPACED}/ServiceAccount/istiod",
    f"{_RBAC}/{_NAMESPACED}/RoleBinding/istiod",
    f"{_RBAC}/ClusterRoleBinding/istiod-clusterrole-{names.ISTIO_NAMESPACE}",
)
"""What of its chart must be there before istiod starts, in the notation of the depends-on annotation."""

ISTIOD_RESOURCES: Values = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "2000m", "memory": "2048Mi"},
}
PROXY_RESOURCES: Values = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1000m", "memory": "512Mi"},
}
"""Of a sidecar, and of a gateway."""
# Without it istiod drops a whole cacerts update whose bundle has one root more or less.
MULTIROOT: Values = {"ISTIO_MULTIROOT_MESH": "true"}


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """What Istio in one cluster must know, whichever installer makes it."""

    cluster_name: str
    """Istio's `clusterName`."""
    network: str
    mesh_id: str
    trust_domain: str
    hub: str
    tag: str
    timeout_seconds: int
    """How long to wait for each Deployment, each load balancer, and whatever else makes these."""


@dataclass(frozen=True, kw_only=True)
class ChartSource:
    """How Pulumi's Helm chart resource names a chart."""

    chart: str
    repository: str | None
    version: str | None


def chart_source(charts: str, chart: str, version: str) -> ChartSource:
    """Find `chart` in an https:// repository, an oci:// registry or a folder (whose charts have their own version)."""
    if charts.startswith("https://"):
        return ChartSource(chart=chart, repository=charts, version=version)
    if charts.startswith("oci://"):
        return ChartSource(chart=f"{charts}/{chart}", repository=None, version=version)
    return ChartSource(chart=f"{charts}/{chart}", repository=None, version=None)


def merge(ours: Values, theirs: Values) -> dict[str, Any]:
    """Lay `theirs` over `ours`, maps key by key, anything else as a whole."""
    merged = dict(ours)
    for key, value in theirs.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def find_replaced_map(ours: Values, theirs: Values) -> str | None:
    """Name the first map of `ours` in whose place `theirs` has something else, so that all in it would be lost."""
    for key, below in ours.items():
        if key in theirs and isinstance(below, Mapping):
            value = theirs[key]
            if not isinstance(value, Mapping):
                return key
            if inside := find_replaced_map(below, value):
                return f"{key}.{inside}"
    return None


def base_values() -> dict[str, Any]:
    """Values of the chart `base`."""
    return {
        "global": {"istioNamespace": names.ISTIO_NAMESPACE, "enableReaderRBAC": False},
        # Rendered as Ignore it would be set to Fail by istiod, and every refresh would show the difference.
        "base": {"validationFailurePolicy": "Fail"},
    }


def mesh_config(trust_domain: str) -> dict[str, Any]:
    """What every proxy of the mesh is told, whoever installs Istio."""
    return {
        "trustDomain": trust_domain,
        # Proxies take a changed root from istiod and not only at their start.
        "defaultConfig": {"proxyMetadata": {"PROXY_CONFIG_XDS_AGENT": "true"}},
    }


def istiod_values(control_plane: ControlPlane, rights: ReaderRights) -> dict[str, Any]:
    """Values of the chart `istiod`."""
    return {
        "global": {
            "meshID": control_plane.mesh_id,
            "network": control_plane.network,
            "multiCluster": {"clusterName": control_plane.cluster_name},
            "hub": control_plane.hub,
            "tag": control_plane.tag,
            "istioNamespace": names.ISTIO_NAMESPACE,
            # Links have accounts of their own; this one could read every Secret.
            "enableReaderRBAC": False,
            "proxy": {"resources": PROXY_RESOURCES},
        },
        "meshConfig": mesh_config(control_plane.trust_domain),
        # The chart reads env here; pilot.env is another installer's spelling and is ignored.
        "env": {
            **MULTIROOT,
            # Off, istiod reads no Secret of a peer, and a link's role needs none.
            "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER": str(rights.secrets).lower(),
        },
        "base": {"validationFailurePolicy": "Fail"},
        "resources": ISTIOD_RESOURCES,
        "deploymentAnnotations": {
            # Pulumi makes a chart's objects side by side. An istiod that starts before its injector's template is
            # there never serves injection, and no pod with a sidecar can start.
            names.DEPENDS_ON: ",".join(ISTIOD_NEEDS),
            **timeout_annotation(control_plane.timeout_seconds),
        },
        # No gateway pod can start before istiod has put its CA into the injection webhook.
        "sidecarInjectorWebhookAnnotations": {
            names.WAIT_FOR: "jsonpath={.webhooks[0].clientConfig.caBundle}",
            **timeout_annotation(control_plane.timeout_seconds),
        },
    }


def gateway_values(*, network_gateway: str | None, locality: str | None, timeout_seconds: int) -> dict[str, Any]:
    """
    Values of the chart `gateway`, without a Service: `IstioInstall` makes its own.

    The chart's Service cannot leave out istiod's ports 15012 and 15017 from an east-west load balancer, and hides its
    address behind the chart.

    Args:
        network_gateway: The network that this gateway serves to others, for the east-west gateway.
        locality: Istio's locality of its pods, where their nodes are not to be asked.
        timeout_seconds: How long Pulumi waits for the Deployment.
    """
    values: dict[str, Any] = {
        "service": {"type": "None"},
        # The pod names the image `auto`, which Kubernetes takes for `latest` and would pull at every start.
        "imagePullPolicy": "IfNotPresent",
        "resources": PROXY_RESOURCES,
        "annotations": timeout_annotation(timeout_seconds),
    }
    if network_gateway is not None:
        values["networkGateway"] = network_gateway
    if locality is not None:
        values["labels"] = locality_label(locality)
    return values


def locality_label(locality: str | None) -> dict[str, str]:
    """The label by which a pod says where it is, whatever its node says; none without a locality."""
    return {} if locality is None else {names.LOCALITY_LABEL: locality}


def timeout_annotation(seconds: int) -> dict[str, str]:
    """How long Pulumi waits for an object to become ready."""
    return {names.TIMEOUT_SECONDS: str(seconds)}


def deletion_annotation() -> dict[str, str]:
    """
    How Pulumi deletes an object of Istio's: at once.

    Its usual way leaves a finalizer, whose removal is an update, and that waits for istiod's webhook, dead or alive.
    """
    return {names.DELETION_PROPAGATION: "background"}


def gateway_labels(release: str) -> dict[str, str]:
    """The labels by which the chart `gateway` marks, and a Service or Gateway finds, the pods of a release."""
    return {"app": release, "istio": release.removeprefix("istio-")}


def cross_network_gateway_spec() -> dict[str, Any]:
    """The listener through which other networks reach every service of this cluster, still under their own mTLS."""
    return {
        "selector": {"istio": gateway_labels(names.EASTWEST_GATEWAY)["istio"]},
        "servers": [
            {
                "port": {"number": names.CROSS_NETWORK_PORT, "name": "tls", "protocol": "TLS"},
                "tls": {"mode": "AUTO_PASSTHROUGH"},
                "hosts": ["*.local"],
            }
        ],
    }


OUTLINES: Mapping[str, Values] = {
    "base": base_values(),
    "istiod": istiod_values(
        ControlPlane(cluster_name="", network="", mesh_id="", trust_domain="", hub="", tag="", timeout_seconds=0),
        ReaderRights(secrets=True, endpoints=False),
    ),
    "gateway": gateway_values(network_gateway="", locality="", timeout_seconds=0),
}
"""The program's own values by chart, of which the keys and maps alone mean anything."""
