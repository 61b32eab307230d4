"""Helm values for Istio, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh import names
from mesh.reader_rules import ReaderRights

Values = Mapping[str, Any]
_ABSENT = object()

ISTIOD_RESOURCES: Values = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "2000m", "memory": "2048Mi"},
}
PROXY_RESOURCES: Values = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1000m", "memory": "512Mi"},
}
"""Requests and limits of sidecars and of gateways."""
# Without it istiod ignores an update of cacerts that adds or removes a root.
MULTIROOT: Values = {"ISTIO_MULTIROOT_MESH": "true"}


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The settings of Istio in one cluster that both installers use."""

    cluster_name: str
    """Istio's `clusterName`."""
    network: str
    mesh_id: str
    trust_domain: str
    hub: str
    tag: str
    timeout_seconds: int
    """How long to wait for each Deployment, load balancer and IstioOperator, in seconds."""


def merge(ours: Values, theirs: Values) -> dict[str, Any]:
    """Override `ours` by `theirs`: maps key by key, anything else as a whole."""
    merged = dict(ours)
    for key, value in theirs.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def find_replaced_map(ours: Values, theirs: Values) -> str | None:
    """Find the first map of `ours` that `theirs` would replace by something else, and return its path."""
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
        # Istiod changes the chart's default Ignore to Fail, and every refresh would show the difference.
        "base": {"validationFailurePolicy": "Fail"},
    }


def mesh_config(trust_domain: str) -> dict[str, Any]:
    """The mesh config of every proxy, for both installers."""
    return {
        "trustDomain": trust_domain,
        # Proxies get a changed root from istiod while they run, and not only at their start.
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
            # Links have their own accounts; the chart's reader account could read every Secret.
            "enableReaderRBAC": False,
            "proxy": {"resources": PROXY_RESOURCES},
        },
        "meshConfig": mesh_config(control_plane.trust_domain),
        # The chart reads env here. It ignores pilot.env, which is the operator's key.
        "env": {
            **MULTIROOT,
            # If off, istiod reads no Secrets of its peers, and a link's role does not need them.
            "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER": str(rights.secrets).lower(),
        },
        "base": {"validationFailurePolicy": "Fail"},
        "resources": ISTIOD_RESOURCES,
        "deploymentAnnotations": timeout_annotation(control_plane.timeout_seconds),
        # No gateway pod can start before istiod has written its CA into the injection webhook.
        "sidecarInjectorWebhookAnnotations": {
            names.WAIT_FOR: "jsonpath={.webhooks[0].clientConfig.caBundle}",
            **timeout_annotation(control_plane.timeout_seconds),
        },
    }


def gateway_values(*, network_gateway: str | None, locality: str | None, timeout_seconds: int) -> dict[str, Any]:
    """
    Values of the chart `gateway`, without a Service: `IstioInstall` creates it.

    The chart's Service would open istiod's ports 15012 and 15017 on an east-west load balancer, and Pulumi would not
    see its address.

    Args:
        network_gateway: The network that an east-west gateway serves to other networks; `None` for other gateways.
        locality: Istio's locality of its pods; `None` for that of their nodes.
        timeout_seconds: How long Pulumi waits for the Deployment, in seconds.
    """
    values: dict[str, Any] = {
        "service": {"type": "None"},
        # The pod's image is `auto` until injection; Kubernetes treats that as `latest` and would always pull.
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
    """The label that sets a pod's locality, instead of its node's labels; empty without a locality."""
    return {} if locality is None else {names.LOCALITY_LABEL: locality}


def timeout_annotation(seconds: int) -> dict[str, str]:
    """The annotation that limits how long Pulumi waits for an object to become ready."""
    return {names.TIMEOUT_SECONDS: str(seconds)}


def deletion_annotation() -> dict[str, str]:
    """
    The annotation that lets Pulumi delete an Istio object at once.

    The default, foreground deletion, sets a finalizer. Its removal is an update that needs istiod's webhook, even if
    istiod is already gone.
    """
    return {names.DELETION_PROPAGATION: "background"}


def gateway_labels(release: str) -> dict[str, str]:
    """The labels that the chart `gateway` sets on the pods of a release, and that a Service or Gateway selects."""
    return {"app": release, "istio": release.removeprefix("istio-")}


def cross_network_gateway_spec() -> dict[str, Any]:
    """The listener through which other networks reach every service of this cluster, with end-to-end mTLS."""
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
"""The keys and maps of the program's own values, by chart; the leaf values are placeholders."""

_ONE_REVISION = "the program installs one revision"
_LOCAL = "each cluster has its own control plane"
_OBJECTS = "the program's own objects depend on it"
_WHOLE = "the program needs all of the chart's objects"
_INJECTED = "istiod would not make its pods gateways"
_UNREAD = "the chart does not read it"
_INTERNAL: Mapping[tuple[str, ...], str] = {
    ("_internal_defaults_do_not_set",): "it is the chart's own",
    ("defaults",): "the chart refuses it",
}
OWNED: Mapping[str, Mapping[tuple[str, ...], str]] = {
    "base": {
        **_INTERNAL,
        ("global", "istioNamespace"): _OBJECTS,
        ("global", "resourceScope"): _WHOLE,
        ("global", "enableReaderRBAC"): "links have their own accounts",
        ("base", "validationFailurePolicy"): "istiod sets it, too",
        ("defaultRevision",): _ONE_REVISION,
        ("revision",): _ONE_REVISION,
    },
    "istiod": {
        **_INTERNAL,
        ("pilot",): f"{_UNREAD}: what older charts had below it is now at the top of istiod",
        ("hub",): "istio.hub sets it",
        ("tag",): "istio.tag sets it",
        ("global", "resourceScope"): _WHOLE,
        ("global", "operatorManageWebhooks"): _WHOLE,
        ("global", "omitSidecarInjectorConfigMap"): _WHOLE,
        ("global", "proxy", "clusterDomain"): "the program's host names end in cluster.local",
        ("global", "meshID"): "mesh.id sets it",
        ("global", "network"): "clusters[].network sets it",
        ("global", "multiCluster", "clusterName"): "clusters[].name sets it",
        ("global", "hub"): "istio.hub sets it",
        ("global", "tag"): "istio.tag sets it",
        ("global", "istioNamespace"): _OBJECTS,
        ("global", "enableReaderRBAC"): "links have their own accounts",
        ("global", "externalIstiod"): _LOCAL,
        ("global", "configCluster"): _LOCAL,
        ("global", "remotePilotAddress"): _LOCAL,
        ("istiodRemote",): _LOCAL,
        ("meshConfig", "trustDomain"): "mesh.trustDomain sets it",
        ("meshConfig", "defaultConfig", "meshId"): "mesh.id sets it",
        ("meshConfig", "defaultConfig", "discoveryAddress"): _LOCAL,
        ("meshConfig", "defaultConfig", "proxyMetadata", "ISTIO_META_NETWORK"): "clusters[].network sets it",
        ("meshConfig", "defaultConfig", "proxyMetadata", "ISTIO_META_CLUSTER_ID"): "clusters[].name sets it",
        ("meshConfig", "defaultConfig", "proxyMetadata", "PROXY_CONFIG_XDS_AGENT"): "a change of the root needs it",
        ("env", "ISTIO_MULTIROOT_MESH"): "a change of the root needs it",
        ("env", "PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER"): "links.readSecrets sets it",
        ("env", "CLUSTER_ID"): "clusters[].name sets it",
        ("env", "REVISION"): _ONE_REVISION,
        ("base", "validationFailurePolicy"): "istiod sets it, too",
        ("deploymentAnnotations", names.TIMEOUT_SECONDS): "istio.timeoutSeconds sets it",
        ("sidecarInjectorWebhookAnnotations", names.TIMEOUT_SECONDS): "istio.timeoutSeconds sets it",
        ("sidecarInjectorWebhookAnnotations", names.WAIT_FOR): _OBJECTS,
        ("revision",): _ONE_REVISION,
        ("revisionTags",): _ONE_REVISION,
    },
    "gateway": {
        **_INTERNAL,
        ("networkGatewayPorts",): "the program creates the Service",
        ("labels", "istio.io/rev"): _ONE_REVISION,
        ("labels", "sidecar.istio.io/inject"): _INJECTED,
        ("podAnnotations", "sidecar.istio.io/inject"): _INJECTED,
        ("podAnnotations", "inject.istio.io/templates"): _INJECTED,
        ("service",): "the program creates the Service",
        ("name",): _OBJECTS,
        ("kind",): _OBJECTS,
        ("labels", "app"): "the gateway's Service selects it",
        ("labels", "istio"): "the gateway's Service selects it",
        ("labels", names.NETWORK_LABEL): "clusters[].network sets it",
        ("labels", names.LOCALITY_LABEL): "clusters[].locality sets it",
        ("networkGateway",): "clusters[].network sets it",
        ("env", "ISTIO_META_NETWORK"): "clusters[].network sets it",
        ("env", "ISTIO_META_REQUESTED_NETWORK_VIEW"): "clusters[].network sets it",
        ("env", "ISTIO_META_CLUSTER_ID"): "clusters[].name sets it",
        ("annotations", names.TIMEOUT_SECONDS): "istio.timeoutSeconds sets it",
        ("revision",): _ONE_REVISION,
    },
}
"""
The paths of values that a stack file cannot override, by chart, each with the reason.

One value for all clusters would be wrong in each but one, or would break the objects that the program creates itself.
"""


def find_owned(chart: str, theirs: Values) -> tuple[str, object, str] | None:
    """Find the first value of a chart that only the program sets, and return its path, the value and the reason."""
    for path, reason in OWNED[chart].items():
        value: object = theirs
        for key in path:
            value = value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        if value is not _ABSENT:
            return ".".join(path), value, reason
    return None
