"""Queries a pod's proxy by its admin interface."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError
from ops.cluster.envoy import (
    Certificates,
    ProxyEndpoint,
    helloworld_endpoints,
    helloworld_splits,
    workload_certificates,
)

_PROXY = "istio-proxy"
_EXEC_SECONDS = 20.0

Answer = TypeVar("Answer")


def see_endpoints(api: ClusterApi, pod: str) -> tuple[ProxyEndpoint, ...]:
    """
    List the helloworld endpoints that the sidecar of a pod in the app namespace knows.

    Raises:
        ApiError: There is no sidecar, or it does not answer.
    """
    return _query(api, names.APP_NAMESPACE, pod, "clusters?format=json", helloworld_endpoints)


def see_certificates(api: ClusterApi, namespace: str, pod: str) -> Certificates:
    """
    Read the certificates that the proxy of a pod uses.

    Raises:
        ApiError: There is no proxy, or it does not answer.
    """
    return _query(api, namespace, pod, "config_dump?resource=dynamic_active_secrets", workload_certificates)


def see_splits(api: ClusterApi, namespace: str, pod: str) -> tuple[Mapping[str, int], ...]:
    """
    List the weighted routes to helloworld that the proxy of a pod has, each as percent by subset.

    Raises:
        ApiError: There is no proxy, or it does not answer.
    """
    return _query(api, namespace, pod, "config_dump?resource=dynamic_route_configs", helloworld_splits)


def _query(api: ClusterApi, namespace: str, pod: str, path: str, read: Callable[[str], Answer]) -> Answer:
    done = api.execute(namespace, pod, _PROXY, ["pilot-agent", "request", "GET", path], _EXEC_SECONDS)
    try:
        return read(done.stdout)
    except ValueError:
        reason = done.error or "its answer is not in Envoy's form"
        raise ApiError(f"the proxy of {pod} gave no answer to {path.partition('?')[0]}: {reason}") from None
