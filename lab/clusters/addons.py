"""The add-ons of a cluster: CoreDNS, and the access rights of the lab's programs."""

from http import HTTPStatus
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from urllib3.exceptions import HTTPError

from kube import connection
from lab.build import images
from lab.spec import CLUSTER_DOMAIN, DNS_ADDRESS, ClusterSpec

COREDNS = "coredns"
SYSTEM_NAMESPACE = "kube-system"
_FIELD_MANAGER = "mcsps-lab"
_DNS_LABELS = {"k8s-app": "kube-dns"}
_DNS_READY_PORT = 8181
_ANSWER_SECONDS = 2
_COREFILE = f"""\
.:53 {{
    errors
    health
    ready
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }}
    cache 5
    loadbalance
}}
"""


def connect(spec: ClusterSpec, subject: str = "admin") -> client.ApiClient:
    """Return a client of the cluster's API with one of the lab's certificates."""
    return client.ApiClient(
        connection.from_certificate(
            spec.server,
            ca_file=spec.pki / "ca.crt",
            certificate_file=spec.pki / f"{subject}.crt",
            key_file=spec.pki / f"{subject}.key",
        )
    )


def apply(spec: ClusterSpec) -> None:
    """Apply every add-on to the cluster."""
    with connect(spec) as api:
        cache = spec.run / "api-discovery.json"
        dynamic = DynamicClient(api, cache_file=str(cache))  # type: ignore[no-untyped-call]
        for manifest in manifests():
            kind = dynamic.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
            kind.server_side_apply(
                body=manifest,
                name=manifest["metadata"]["name"],
                namespace=manifest["metadata"].get("namespace"),
                field_manager=_FIELD_MANAGER,
                force_conflicts=True,
            )


def is_node_ready(api: client.ApiClient, name: str) -> bool:
    """Return whether the node exists and is Ready."""
    try:
        node = client.CoreV1Api(api).read_node(name)
    except ApiException as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    conditions = (node.status.conditions if node.status else None) or ()
    return any(it.type == "Ready" and it.status == "True" for it in conditions)


def is_dns_ready(api: client.ApiClient) -> bool:
    """Return whether the current version of CoreDNS is available and answers."""
    deployment = client.AppsV1Api(api).read_namespaced_deployment(COREDNS, SYSTEM_NAMESPACE)
    status, metadata = deployment.status, deployment.metadata
    if not status or not metadata or status.observed_generation != metadata.generation:
        return False
    if not status.updated_replicas == status.available_replicas == status.replicas == 1:
        return False
    # After a crash the API reports the state before it for a while, so the pod itself is queried.
    core = client.CoreV1Api(api)
    selector = ",".join(f"{key}={value}" for key, value in _DNS_LABELS.items())
    pods = core.list_namespaced_pod(SYSTEM_NAMESPACE, label_selector=selector).items
    return any(_answers(core, pod) for pod in pods)


def _answers(core: client.CoreV1Api, pod: client.V1Pod) -> bool:
    name = f"{pod.metadata.name if pod.metadata else ''}:{_DNS_READY_PORT}"
    try:
        core.connect_get_namespaced_pod_proxy_with_path(
            name, SYSTEM_NAMESPACE, "ready", _request_timeout=_ANSWER_SECONDS
        )
    except (ApiException, HTTPError):
        return False
    return True


def manifests() -> tuple[dict[str, Any], ...]:
    """Return the add-ons' objects: pure."""
    return (*_dns(), *_rights())


def _dns() -> tuple[dict[str, Any], ...]:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
    ]
    return (
        _object("v1", "ServiceAccount", COREDNS, SYSTEM_NAMESPACE),
        _object("v1", "ConfigMap", COREDNS, SYSTEM_NAMESPACE, data={"Corefile": _COREFILE}),
        _object(
            "v1",
            "Service",
            "kube-dns",
            SYSTEM_NAMESPACE,
            spec={"clusterIP": str(DNS_ADDRESS), "selector": _DNS_LABELS, "ports": ports},
        ),
        _object(
            "apps/v1",
            "Deployment",
            COREDNS,
            SYSTEM_NAMESPACE,
            spec={
                "replicas": 1,
                "selector": {"matchLabels": _DNS_LABELS},
                "template": {"metadata": {"labels": _DNS_LABELS}, "spec": _dns_pod()},
            },
        ),
    )


def _dns_pod() -> dict[str, Any]:
    return {
        "serviceAccountName": COREDNS,
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        # Allows a server without root to listen on port 53.
        "securityContext": {
            "runAsNonRoot": True,
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        },
        "containers": [
            {
                "name": COREDNS,
                "image": images.COREDNS,
                "imagePullPolicy": "Never",
                "args": ["-conf", "/etc/coredns/Corefile"],
                "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
                "readinessProbe": {"httpGet": {"path": "/ready", "port": _DNS_READY_PORT}, "periodSeconds": 2},
                "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}},
                "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
            }
        ],
        "volumes": [{"name": "config", "configMap": {"name": COREDNS}}],
    }


def _rights() -> tuple[dict[str, Any], ...]:
    balancer = "mcsps-lab:loadbalancer"
    watch = ["get", "list", "watch"]
    return (
        *_grant(
            "mcsps-lab:coredns",
            [
                _rule("", ["services", "pods", "namespaces"], ["list", "watch"]),
                _rule("discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
            ],
            {"kind": "ServiceAccount", "name": COREDNS, "namespace": SYSTEM_NAMESPACE},
        ),
        *_grant(
            balancer,
            [_rule("", ["services"], watch), _rule("", ["services/status"], ["patch"])],
            {"kind": "User", "name": balancer, "apiGroup": "rbac.authorization.k8s.io"},
        ),
        _binding(
            "mcsps-lab:apiserver-kubelet",
            "system:kubelet-api-admin",
            {
                "kind": "User",
                "name": "kube-apiserver-kubelet-client",
                "apiGroup": "rbac.authorization.k8s.io",
            },
        ),
    )


def _grant(name: str, rules: list[dict[str, Any]], subject: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    role = _object("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=rules)
    return role, _binding(name, name, subject)


def _binding(name: str, role: str, subject: dict[str, Any]) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    return _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        name,
        roleRef=reference,
        subjects=[subject],
    )


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}


def _object(api_version: str, kind: str, name: str, namespace: str | None = None, **content: object) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
