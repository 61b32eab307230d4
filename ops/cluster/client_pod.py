"""The client pod: created for one run, and deleted at its end in every case."""

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.polling import Poller

MANAGED_BY = "mcsps-verify"
CONTAINER = "client"
LIFETIME = timedelta(minutes=40)
"""No run takes this long: a run that was killed left an older pod."""
NOT_CAPTURED = {"traffic.sidecar.istio.io/excludeOutboundPorts": str(names.CROSS_NETWORK_PORT)}
"""The sidecar itself accepts every connection that it captures, so these must bypass it."""

_SELECTOR = f"{names.MANAGED_BY_LABEL}={MANAGED_BY}"
_SLEEP = ("sleep", str(int(LIFETIME.total_seconds())))
_MEMORY = "64Mi"


def manifest(name: str, image: str, command: Sequence[str] = _SLEEP, memory: str = _MEMORY) -> dict[str, Any]:
    """Describe a pod that sleeps or runs a command, and that the pod security level `restricted` admits."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {names.MANAGED_BY_LABEL: MANAGED_BY}, "annotations": NOT_CAPTURED},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": int(LIFETIME.total_seconds()),
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": CONTAINER,
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": list(command),
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "16Mi"},
                        "limits": {"cpu": "500m", "memory": memory},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


@contextlib.contextmanager
def client_pod(
    api: ClusterApi,
    image: str,
    progress: Callable[[str], None],
    command: Sequence[str] = _SLEEP,
    memory: str = _MEMORY,
) -> Iterator[str]:
    """
    Run a client pod in the app namespace; yields its name. It may not be ready yet.

    Args:
        api: The cluster's API.
        image: One with curl.
        progress: Receives a line if the pod could not be deleted.
        command: What it runs.
        memory: Its limit, as Kubernetes writes quantities.

    Raises:
        ApiError: The API refused the pod.
    """
    name = f"{MANAGED_BY}-{secrets.token_hex(4)}"
    try:
        # Inside the try: an interrupt after the pod was created must not leave it behind.
        api.create_pod(names.APP_NAMESPACE, manifest(name, image, command, memory))
        yield name
    finally:
        try:
            api.delete_pod(names.APP_NAMESPACE, name)
        except ApiError as error:
            progress(
                f"pod {names.APP_NAMESPACE}/{name} could not be deleted: {error}; it ends by itself within {LIFETIME}"
            )


def remove_leftovers(api: ClusterApi, now: datetime | None = None) -> None:
    """Delete the client pods of runs that were killed."""
    for pod in api.pods(names.APP_NAMESPACE, _SELECTOR):
        if (now or datetime.now(UTC)) - pod.created > LIFETIME:
            api.delete_pod(names.APP_NAMESPACE, pod.name)


def wait_ready(api: ClusterApi, name: str, poller: Poller) -> str:
    """Wait for a client pod; return why it is not ready, or empty."""
    try:
        pod = poller.until(lambda seen: seen is None or seen.ready, lambda: api.pod(names.APP_NAMESPACE, name))
    except ApiError as error:
        return str(error)
    if pod is None:
        return "it is gone"
    return "" if pod.ready else f"not ready after {poller.seconds:.0f} s: {pod.not_ready_reason}"
