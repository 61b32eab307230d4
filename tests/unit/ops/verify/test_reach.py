"""Connections from a client pod to gateways."""

import pytest

from ops.cluster.calls import ApiError
from ops.cluster.client_pod import manifest
from ops.verify.reach import parse_reach, reach_gateways
from tests.support.api_double import ApiDouble, printed

SAID = (
    "0.000391 http://198.18.12.1:15443 Recv failure: Connection reset by peer\n"
    "0.000000 http://198.18.12.3:15443/ Failed to connect to 198.18.12.3 port 15443: Connection refused\n"
    "0.000000 http://[2001:db8::1]:15443 \n"
)


def test_a_connection_is_one_whatever_became_of_it() -> None:
    """A gateway closes a connection without a server name. Only a connection that was never made has a reason."""
    assert parse_reach(SAID) == {
        "198.18.12.1:15443": "",
        "198.18.12.3:15443": "Failed to connect to 198.18.12.3 port 15443: Connection refused",
        "[2001:db8::1]:15443": "no connection",
    }


def test_each_address_is_tried_once_and_told_by_its_own_name() -> None:
    """An IPv6 address has brackets in the request, and none in the result."""
    api = ApiDouble()
    api.says["--connect-timeout"] = lambda: printed(SAID, code=7)
    found = reach_gateways(api, "client", ["198.18.12.1", "198.18.12.3", "2001:db8::1"])  # type: ignore[arg-type]
    assert [address for address, error in found.items() if not error] == ["198.18.12.1"]
    assert set(found) == {"198.18.12.1", "198.18.12.3", "2001:db8::1"}


def test_nothing_to_try_asks_nobody() -> None:
    """A mesh of one cluster has no peer."""
    api = ApiDouble()
    api.refuses["execute"] = "asked"
    assert reach_gateways(api, "client", []) == {}  # type: ignore[arg-type]


def test_a_curl_that_said_nothing_of_an_address_is_an_error() -> None:
    """An address without an attempt is neither reached nor unreached."""
    api = ApiDouble()
    api.says["--connect-timeout"] = lambda: printed("", code=127)
    with pytest.raises(ApiError, match="client could not try the gateways: exit code 127"):
        reach_gateways(api, "client", ["198.18.12.1"])  # type: ignore[arg-type]


def test_the_client_pods_sidecar_leaves_the_gateways_port_alone() -> None:
    """Otherwise the sidecar would accept every connection itself, and the result would mean nothing."""
    annotations = manifest("mcsps-verify-0", "client:1")["metadata"]["annotations"]
    assert annotations == {"traffic.sidecar.istio.io/excludeOutboundPorts": "15443"}
