"""Addresses of API servers: when two are the same, and which ones only the machine or cluster itself reaches."""

import ipaddress
import re
from urllib.parse import urlsplit

_HTTPS_PORT = 443
_LABEL = r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?"
# Resolvers read a name that ends in a number, such as 127.1, as an address of IPv4.
_NAME = re.compile(rf"({_LABEL}\.)*(?!(0x[0-9a-f]*|[0-9]+)$){_LABEL}")
_LOCAL_NAME = re.compile(
    r"(.+\.)?localhost|localhost\.localdomain|ip6-(localhost|loopback)"
    # What Docker Desktop calls its own machine.
    r"|(kubernetes|host)\.docker\.internal"
    r"|kubernetes(\.default(\.svc(\..+)?)?)?"
)
_RANCHER_PROXY = re.compile(r"/k8s/clusters/[^/]+/?")


def normalized(url: str) -> tuple[str, int, str]:
    """
    Host, port and path of an https:// URL, the same for all spellings of one address.

    Raises:
        ValueError: The URL has no host that is a name or an address, a port that is none, credentials, a query or a
            fragment.
    """
    parts = urlsplit(url)
    host = _read_host(parts.hostname or "")
    if host is None or parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment:
        message = "not the URL of an API server"
        raise ValueError(message)
    return host, parts.port or _HTTPS_PORT, parts.path.rstrip("/")


def _read_host(text: str) -> str | None:
    host = text.removesuffix(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host if _NAME.fullmatch(host) else None


def is_local(url: str) -> bool:
    """Whether the host is this machine or the cluster itself, so that another cluster reaches something else there."""
    host, _, _ = normalized(url)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _LOCAL_NAME.fullmatch(host) is not None
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified or address.is_link_local


def is_rancher_proxy(url: str) -> bool:
    """Whether the URL is that of a cluster behind Rancher's proxy."""
    return _RANCHER_PROXY.search(normalized(url)[2]) is not None
