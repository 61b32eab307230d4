"""Connects from a client pod to the peers' east-west gateways, whatever the weight sends there."""

import re
from collections.abc import Iterable, Mapping

from mesh import names
from ops.cluster import client_pod
from ops.cluster.address import with_port
from ops.cluster.api import ClusterApi
from ops.cluster.calls import ApiError

_CONNECT_SECONDS = 3
_WHOLE_SECONDS = 5
_EXEC_SECONDS = 20.0
# A gateway passes TLS on by its server name and ends none itself, so only the connection is tried.
_LINE = re.compile(r"(?P<connected>[\d.]+) http://(?P<place>\S+?)/? (?P<error>.*)")


def reach_gateways(api: ClusterApi, pod: str, addresses: Iterable[str]) -> Mapping[str, str]:
    """
    Return for each address why a pod gets no connection to it, or empty.

    The pod's sidecar does not capture this port (see `client_pod`): it accepts every connection itself.

    Raises:
        ApiError: The pod does not answer.
    """
    places = {with_port(address, names.CROSS_NETWORK_PORT): address for address in addresses}
    if not places:
        return {}
    command = ["curl", "--no-progress-meter", "--parallel"]
    command += ["--connect-timeout", str(_CONNECT_SECONDS), "--max-time", str(_WHOLE_SECONDS)]
    command += ["--write-out", r"%{time_connect} %{url} %{errormsg}\n"]
    for place in places:
        command += ["--output", "/dev/null", f"http://{place}"]
    done = api.execute(names.APP_NAMESPACE, pod, client_pod.CONTAINER, command, _EXEC_SECONDS)
    found = parse_reach(done.stdout)
    if not places.keys() <= found.keys():
        raise ApiError(f"{pod} could not try the gateways: {done.error or 'curl printed nothing about some of them'}")
    return {address: found[place] for place, address in places.items()}


def parse_reach(output: str) -> Mapping[str, str]:
    """Read from curl's output why there was no connection to a place, or empty."""
    return {
        line["place"]: "" if float(line["connected"]) > 0 else line["error"] or "no connection"
        for line in _LINE.finditer(output)
    }
