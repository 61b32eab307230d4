"""Whether a client pod gets a connection to the peers' east-west gateways, whatever the weight sends there."""

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
# A gateway passes TLS on by its server name and answers none of its own, so the connection is all that is asked for.
_LINE = re.compile(r"(?P<connected>[\d.]+) http://(?P<place>\S+?)/? (?P<error>.*)")


def reach_gateways(api: ClusterApi, pod: str, addresses: Iterable[str]) -> Mapping[str, str]:
    """
    Give for each address why a pod gets no connection to it, or empty.

    The pod's sidecar leaves this port alone (see `client_pod`): it would accept every connection itself.

    Raises:
        ApiError: The pod could not be asked.
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
        raise ApiError(f"{pod} could not try the gateways: {done.error or 'curl said nothing of some'}")
    return {address: found[place] for place, address in places.items()}


def parse_reach(output: str) -> Mapping[str, str]:
    """Read why there was no connection, or empty, by place, from what curl was told to write."""
    return {
        line["place"]: "" if float(line["connected"]) > 0 else line["error"] or "no connection"
        for line in _LINE.finditer(output)
    }
