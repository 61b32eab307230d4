"""Addresses in the form that URLs need."""

from ipaddress import IPv6Address, ip_address


def bracketed(address: str) -> str:
    """Put an IPv6 address into brackets; leave any other address or name as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return f"[{parsed}]" if isinstance(parsed, IPv6Address) else address


def with_port(address: str, port: int) -> str:
    """Join an address or name and a port."""
    return f"{bracketed(address)}:{port}"
