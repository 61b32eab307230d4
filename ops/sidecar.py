"""Asks the client pod's sidecar what it knows."""

from components import _names as names
from ops.api import ApiError, ClusterApi
from ops.envoy import Endpoint, helloworld_endpoints

_SIDECAR = "istio-proxy"
_EXEC_SECONDS = 20.0


def see_endpoints(api: ClusterApi, pod: str) -> tuple[Endpoint, ...]:
    """
    List the helloworld endpoints of a pod's sidecar.

    Raises:
        ApiError: There is no sidecar, or it gave no answer.
    """
    command = ["pilot-agent", "request", "GET", "clusters?format=json"]
    done = api.execute(names.APP_NAMESPACE, pod, _SIDECAR, command, _EXEC_SECONDS)
    try:
        return helloworld_endpoints(done.stdout)
    except ValueError:
        message = f"the sidecar of {pod} gave no list of endpoints"
        raise ApiError(message) from None
