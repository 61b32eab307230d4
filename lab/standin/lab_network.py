"""Holds the stand-in to the lab: whatever it would talk to is refused by name if it is elsewhere."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from errors import UserError
from lab.spec import FABRIC_NETWORK


def require(what: str, url: str) -> None:
    """
    Hold a server to the lab's network; nothing has been sent to it yet.

    Args:
        what: names the server, for the error: `cluster east: its API server`.
        url: where it is.

    Raises:
        UserError: it is elsewhere.
    """
    host = urlsplit(url).hostname
    try:
        is_in_lab = ip_address(host or "") in FABRIC_NETWORK
    except ValueError:
        is_in_lab = False
    if not is_in_lab:
        raise UserError(
            f"{what} {host} is not in the lab's network {FABRIC_NETWORK}, and the stand-in is for the lab alone: "
            "use pulumi"
        )
