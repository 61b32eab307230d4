"""
The few things that `ops` asks of one cluster's API, as plain typed values.

Knows nothing of checks. A thing that does not exist is `None` or empty; any other refusal is an
`ApiError`.
"""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from kubernetes.stream.ws_client import ERROR_CHANNEL
from urllib3.exceptions import HTTPError
from websocket import WebSocketException

from mesh import names
from ops.cluster import network_errors
from ops.verify.consistency import ROUTING_KINDS, Manifest

_TIMEOUT_SECONDS = (5, 20)
_INTERRUPT_SECONDS = 0.5
_NOT_FOUND = 404
_SHOWN_CHARACTERS = 200
_ISTIO = names.NETWORKING_API_BEFORE_1_22.split("/")
"""Every Istio serves it."""


class ApiError(Exception):
    """The API did not give what was asked for; the text names status and reason alone."""


class _AbsentError(ApiError):
    """What was asked for does not exist."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Pods that a Deployment wants and those that are ready."""

    wanted: int
    ready: int


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """
    A Service.

    Attributes:
        addresses: IP addresses and host names that a load balancer gave.
    """

    labels: Mapping[str, str]
    ports: tuple[int, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PodView:
    """A pod; `trouble` says in the kubelet's words why it is not ready."""

    name: str
    labels: Mapping[str, str]
    ip: str | None
    ready: bool
    created: datetime
    trouble: str


@dataclass(frozen=True, kw_only=True)
class SecretView:
    """A Secret, decoded."""

    name: str
    labels: Mapping[str, str]
    data: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ExecResult:
    """
    What a command in a container printed, and how it ended.

    Attributes:
        finished: False where the time was up.
        code: Its exit code; `None` where it has none, as it could not be started or the connection was lost.
        status: What the API server said of its end; empty where it ended well.
    """

    stdout: str = field(repr=False)
    stderr: str
    finished: bool
    code: int | None
    status: str = ""

    @property
    def trouble(self) -> str:
        """Why it did not end well, in the first line of its own or of the API server's; empty where it did."""
        if not self.finished:
            return "not finished in time"
        if self.code == 0:
            return ""
        lines = [line for text in (self.stderr, self.status) for line in text.splitlines() if line.strip()]
        said = lines[0].strip()[:_SHOWN_CHARACTERS] if lines else "the connection ended before the command did"
        return said if self.code is None else f"exit code {self.code}: {said}"


class ClusterApi:
    """One cluster's API. Safe to use from several threads."""

    def __init__(self, configuration: client.Configuration, interrupted: threading.Event | None = None) -> None:
        """Take a configuration that holds server, CA and credential, and what ends every command early."""
        configuration.retries = False
        self._configuration = configuration
        self._interrupted = interrupted or threading.Event()
        api = client.ApiClient(configuration)
        self._plain: Callable[[object], dict[str, Any]] = api.sanitize_for_serialization
        self._core = client.CoreV1Api(api)
        self._apps = client.AppsV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        self._version = client.VersionApi(api)

    def version(self) -> str:
        """Kubernetes' version, such as v1.35.4."""
        return str(_ask(self._version.get_code).git_version)

    def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        """Labels of a namespace."""
        found = _find(self._core.read_namespace, name)
        return dict(found.metadata.labels or {}) if found else None

    def shared(self, namespace: str) -> tuple[Manifest, ...]:
        """A namespace, its Services, and Istio's routing in it, as manifests; of what is not there, nothing."""
        found = _find(self._core.read_namespace, namespace)
        services = _ask(self._core.list_namespaced_service, namespace).items
        routing = [
            item
            for plural in ROUTING_KINDS.values()
            for item in (_find(self._custom.list_namespaced_custom_object, *_ISTIO, namespace, plural) or {}).get(
                "items", ()
            )
        ]
        # The library leaves the kind out of what it reads.
        return (
            *({**self._plain(each), "kind": "Namespace"} for each in (found,) if each),
            *({**self._plain(service), "kind": "Service"} for service in services),
            *routing,
        )

    def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Data of a ConfigMap."""
        found = _find(self._core.read_namespaced_config_map, name, namespace)
        return dict(found.data or {}) if found else None

    def deployment(self, namespace: str, name: str) -> Workload | None:
        """Replicas of a Deployment."""
        found = _find(self._apps.read_namespaced_deployment, name, namespace)
        if not found:
            return None
        return Workload(wanted=found.spec.replicas, ready=found.status.ready_replicas or 0)

    def scale(self, namespace: str, name: str, replicas: int) -> None:
        """Set the replicas of a Deployment; nothing is waited for."""
        _ask(self._apps.patch_namespaced_deployment_scale, name, namespace, {"spec": {"replicas": replicas}})

    def istio_spec(self, namespace: str, plural: str, name: str) -> Mapping[str, Any] | None:
        """Spec of an object of Istio's networking kinds, such as `destinationrules`."""
        found = _find(self._custom.get_namespaced_custom_object, *_ISTIO, namespace, plural, name)
        return dict(found.get("spec") or {}) if found else None

    def service(self, namespace: str, name: str) -> ServiceView | None:
        """Ports and outside addresses of a Service."""
        found = _find(self._core.read_namespaced_service, name, namespace)
        if not found:
            return None
        ingress = found.status.load_balancer.ingress or ()
        return ServiceView(
            labels=dict(found.metadata.labels or {}),
            ports=tuple(port.port for port in found.spec.ports or ()),
            addresses=tuple(entry.ip or entry.hostname for entry in ingress),
        )

    def secrets(self, namespace: str, selector: str) -> tuple[SecretView, ...]:
        """Secrets by label."""
        found = _ask(self._core.list_namespaced_secret, namespace, label_selector=selector)
        return tuple(_secret(item) for item in found.items)

    def secret(self, namespace: str, name: str) -> SecretView | None:
        """One Secret."""
        found = _find(self._core.read_namespaced_secret, name, namespace)
        return _secret(found) if found else None

    def pods(self, namespace: str, selector: str) -> tuple[PodView, ...]:
        """Pods by label; those that are being deleted are left out."""
        found = _ask(self._core.list_namespaced_pod, namespace, label_selector=selector)
        return tuple(_pod(item) for item in found.items if item.metadata.deletion_timestamp is None)

    def pod(self, namespace: str, name: str) -> PodView | None:
        """One pod."""
        found = _find(self._core.read_namespaced_pod, name, namespace)
        return _pod(found) if found else None

    def create_pod(self, namespace: str, manifest: Mapping[str, Any]) -> None:
        """Create a pod."""
        _ask(self._core.create_namespaced_pod, namespace, manifest)

    def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod at once; one that is gone already is fine."""
        _find(self._core.delete_namespaced_pod, name, namespace, grace_period_seconds=0)

    def log(self, namespace: str, pod: str, container: str, seconds: int) -> str:
        """What a container printed in the last seconds (1 or more), each line after its time in RFC 3339."""
        answer = _ask(
            self._core.read_namespaced_pod_log,
            pod,
            namespace,
            container=container,
            since_seconds=seconds,
            timestamps=True,
            # The library would take the text for JSON.
            _preload_content=False,
        )
        return str(answer.data.decode(errors="replace"))

    def execute(
        self, namespace: str, pod: str, container: str, command: list[str], timeout_seconds: float
    ) -> ExecResult:
        """Run a command in a container, for `timeout_seconds` at most."""
        # `stream` patches the client it is given while the request runs, so no two may share one.
        core = client.CoreV1Api(client.ApiClient(self._configuration))
        # A web socket's errors are of many types and their texts quote what the server sent.
        try:
            socket = stream(
                core.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                container=container,
                command=command,
                stdout=True,
                stderr=True,
                stdin=False,
                tty=False,
                _preload_content=False,
            )
            with contextlib.closing(socket):
                end = time.monotonic() + timeout_seconds
                while socket.is_open() and time.monotonic() < end and not self._interrupted.is_set():
                    socket.run_forever(timeout=_INTERRUPT_SECONDS)
                finished = not socket.is_open()
                code, status = _end_of(socket.read_channel(ERROR_CHANNEL)) if finished else (None, "")
                return ExecResult(
                    stdout=socket.read_stdout(timeout=0),
                    stderr=socket.read_stderr(timeout=0),
                    finished=finished,
                    code=code,
                    status=status,
                )
        except (ApiException, WebSocketException, OSError) as error:
            text = f"exec of {command[0]} in {namespace}/{pod} failed: {type(error).__name__}"
            raise ApiError(text) from None


def _end_of(status_json: str) -> tuple[int | None, str]:
    """Read a command's exit code and the API server's words; a program that could not be started has no code."""
    try:
        status = json.loads(status_json)
        if status["status"] == "Success":
            return 0, ""
        causes = (status.get("details") or {}).get("causes") or ()
        codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
        return next(iter(codes), None), str(status.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, ""


def _ask(call: Callable[..., Any], *args: object, **options: object) -> Any:  # noqa: ANN401
    # The library returns generated models; each method above turns them into its own type.
    try:
        return call(*args, _request_timeout=_TIMEOUT_SECONDS, **options)
    except ApiException as error:
        kind = _AbsentError if error.status == _NOT_FOUND else ApiError
        raise kind(f"the API answered {error.status} {error.reason}") from None
    except HTTPError as error:
        raise ApiError(f"no connection: {network_errors.trouble(error)}") from None


def _find(call: Callable[..., Any], *args: object, **options: object) -> Any:  # noqa: ANN401
    try:
        return _ask(call, *args, **options)
    except _AbsentError:
        return None


def _secret(item: Any) -> SecretView:  # noqa: ANN401
    return SecretView(
        name=item.metadata.name,
        labels=dict(item.metadata.labels or {}),
        data={key: base64.b64decode(value) for key, value in (item.data or {}).items()},
    )


def _pod(item: Any) -> PodView:  # noqa: ANN401
    conditions = {entry.type: entry for entry in item.status.conditions or ()}
    ready = "Ready" in conditions and conditions["Ready"].status == "True"
    statuses = [*(item.status.init_container_statuses or ()), *(item.status.container_statuses or ())]
    waiting = [
        f"{status.name}: {status.state.waiting.reason}"
        for status in statuses
        if status.state and status.state.waiting and status.state.waiting.reason
    ]
    scheduled = conditions.get("PodScheduled")
    if scheduled and scheduled.status == "False":
        waiting.insert(0, str(scheduled.message))
    return PodView(
        name=item.metadata.name,
        labels=dict(item.metadata.labels or {}),
        ip=item.status.pod_ip,
        ready=ready,
        created=item.metadata.creation_timestamp,
        trouble="" if ready else "; ".join(waiting) or str(item.status.phase),
    )
