"""
The few requests that `ops` makes to one cluster's API, with plain typed values as answers.

Knows nothing of checks. An object that does not exist is `None` or empty; any other refusal is an `ApiError`.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client

from mesh import names
from ops.cluster.calls import call, find
from ops.cluster.execution import ExecResult, execute
from ops.cluster.views import PodView, SecretView, ServiceView, Workload, pod_view, secret_view, service_view

Manifest = Mapping[str, Any]
"""An object as the API has it, as JSON data."""

ROUTING_KINDS = {
    "Gateway": "gateways",
    "DestinationRule": "destinationrules",
    "VirtualService": "virtualservices",
}
"""Istio's kinds of routing, with their plurals."""

_ISTIO = names.NETWORKING_API_BEFORE_1_22.split("/")
"""Every Istio serves it."""


class ClusterApi:
    """One cluster's API. Safe to use from several threads."""

    def __init__(self, configuration: client.Configuration, interrupted: threading.Event | None = None) -> None:
        """Take a configuration with server, CA and credential, and an event that ends every command early."""
        self._configuration = configuration
        self._interrupted = interrupted or threading.Event()
        api = client.ApiClient(configuration)
        self._plain: Callable[[object], dict[str, Any]] = api.sanitize_for_serialization
        self._core = client.CoreV1Api(api)
        self._apps = client.AppsV1Api(api)
        # Every Kubernetes serves this version.
        self._autoscaling = client.AutoscalingV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        self._version = client.VersionApi(api)

    def version(self) -> str:
        """Kubernetes' version, such as v1.35.4."""
        return str(call(self._version.get_code).git_version)

    def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        """Labels of a namespace."""
        found = find(self._core.read_namespace, name)
        return dict(found.metadata.labels or {}) if found else None

    def shared(self, namespace: str) -> tuple[Manifest, ...]:
        """A namespace, its Services, and Istio's routing in it, as manifests; absent ones are left out."""
        found = find(self._core.read_namespace, namespace)
        services = call(self._core.list_namespaced_service, namespace).items
        routing = [
            item
            for plural in ROUTING_KINDS.values()
            for item in (find(self._custom.list_namespaced_custom_object, *_ISTIO, namespace, plural) or {}).get(
                "items", ()
            )
        ]
        # The library leaves out the kind of what it reads.
        return (
            *({**self._plain(each), "kind": "Namespace"} for each in (found,) if each),
            *({**self._plain(service), "kind": "Service"} for service in services),
            *routing,
        )

    def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Data of a ConfigMap."""
        found = find(self._core.read_namespaced_config_map, name, namespace)
        return dict(found.data or {}) if found else None

    def deployment(self, namespace: str, name: str) -> Workload | None:
        """Replicas of a Deployment."""
        found = find(self._apps.read_namespaced_deployment, name, namespace)
        if not found:
            return None
        return Workload(wanted=found.spec.replicas, ready=found.status.ready_replicas or 0)

    def autoscaled(self, namespace: str) -> frozenset[str]:
        """Names of the Deployments that a HorizontalPodAutoscaler targets."""
        found = call(self._autoscaling.list_namespaced_horizontal_pod_autoscaler, namespace)
        targets = (item.spec.scale_target_ref for item in found.items)
        return frozenset(target.name for target in targets if target.kind == "Deployment")

    def scale(self, namespace: str, name: str, replicas: int) -> None:
        """Set the replicas of a Deployment, without waiting for the pods."""
        call(self._apps.patch_namespaced_deployment_scale, name, namespace, {"spec": {"replicas": replicas}})

    def istio_spec(self, namespace: str, plural: str, name: str) -> Mapping[str, Any] | None:
        """Spec of an object of Istio's networking kinds, such as `destinationrules`."""
        found = find(self._custom.get_namespaced_custom_object, *_ISTIO, namespace, plural, name)
        return dict(found.get("spec") or {}) if found else None

    def service(self, namespace: str, name: str) -> ServiceView | None:
        """Ports and outside addresses of a Service."""
        found = find(self._core.read_namespaced_service, name, namespace)
        return service_view(found) if found else None

    def secrets(self, namespace: str, selector: str) -> tuple[SecretView, ...]:
        """Secrets by label."""
        found = call(self._core.list_namespaced_secret, namespace, label_selector=selector)
        return tuple(secret_view(item) for item in found.items)

    def secret(self, namespace: str, name: str) -> SecretView | None:
        """One Secret."""
        found = find(self._core.read_namespaced_secret, name, namespace)
        return secret_view(found) if found else None

    def pods(self, namespace: str, selector: str) -> tuple[PodView, ...]:
        """Pods by label; those that are being deleted are left out."""
        found = call(self._core.list_namespaced_pod, namespace, label_selector=selector)
        return tuple(pod_view(item) for item in found.items if item.metadata.deletion_timestamp is None)

    def pod(self, namespace: str, name: str) -> PodView | None:
        """One pod."""
        found = find(self._core.read_namespaced_pod, name, namespace)
        return pod_view(found) if found else None

    def create_pod(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Create a pod."""
        call(self._core.create_namespaced_pod, namespace, manifest)

    def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once; an absent pod is no error."""
        find(self._core.delete_namespaced_pod, name, namespace, grace_period_seconds=0)

    def log(self, namespace: str, pod: str, container: str, seconds: int) -> str:
        """What a container printed in the last seconds (1 or more), each line after its time in RFC 3339."""
        answer = call(
            self._core.read_namespaced_pod_log,
            pod,
            namespace,
            container=container,
            since_seconds=seconds,
            timestamps=True,
            # The library parses the text as JSON otherwise.
            _preload_content=False,
        )
        return str(answer.data.decode(errors="replace"))

    def execute(
        self, namespace: str, pod: str, container: str, command: list[str], timeout_seconds: float
    ) -> ExecResult:
        """Run a command in a container, for `timeout_seconds` at most."""
        return execute(
            self._configuration,
            namespace=namespace,
            pod=pod,
            container=container,
            command=command,
            timeout_seconds=timeout_seconds,
            interrupted=self._interrupted,
        )
