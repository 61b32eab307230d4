"""Addresses of API servers: when two are the same, and which ones only the machine or cluster itself reaches."""

import contextlib
import ipaddress
import re
from urllib.parse import urlsplit

_HTTPS_PORT = 443
_LOCAL_NAME = re.compile(r"(.+\.)?localhost|kubernetes(\.default(\.svc(\..+)?)?)?")
_RANCHER_PROXY = re.compile(r"/k8s/clusters/[^/]+/?")


def normalized(url: str) -> tuple[str, int, str]:
    """
    Host, port and path of an https:// URL, the same for all spellings of one address.

    Raises:
        ValueError: The URL has no host, a port that is none, credentials, a query or a fragment.
    """
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        message = "not the URL of an API server"
        raise ValueError(message)
    host = parts.hostname.rstrip(".")
    with contextlib.suppress(ValueError):
        host = str(ipaddress.ip_address(host))
    return host, parts.port or _HTTPS_PORT, parts.path.rstrip("/")


def is_local(url: str) -> bool:
    """Whether the host is this machine or the cluster itself, so that another cluster reaches something else there."""
    host, _, _ = normalized(url)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _LOCAL_NAME.fullmatch(host) is not None
    return address.is_loopback or address.is_unspecified or address.is_link_local


def is_rancher_proxy(url: str) -> bool:
    """Whether the URL is that of a cluster behind Rancher's proxy."""
    return _RANCHER_PROXY.search(normalized(url)[2]) is not None
