"""Restricts the stand-in to the lab: it refuses servers outside of the lab's network by name."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from errors import UserError
from lab.spec import FABRIC_NETWORK


def require(what: str, url: str) -> None:
    """
    Refuse a server outside of the lab's network, before anything is sent to it.

    Args:
        what: The server's name for the error, such as `cluster east: its API server`.
        url: The server's URL.

    Raises:
        UserError: The server is outside of the lab's network.
    """
    host = urlsplit(url).hostname
    try:
        is_in_lab = ip_address(host or "") in FABRIC_NETWORK
    except ValueError:
        is_in_lab = False
    if not is_in_lab:
        raise UserError(
            f"{what} {host} is not in the lab's network {FABRIC_NETWORK}, and the stand-in is only for the lab",
            "Use pulumi",
        )
