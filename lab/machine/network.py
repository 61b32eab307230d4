"""
The lab's layer-2 segment, the fabric: a bridge in its own namespace that connects the host and every node.

Owns the network namespaces of the fabric and of the nodes, and the link on the host. It adds neither a rule to the
host's packet filter nor a default route: nothing in the lab reaches beyond the fabric.
"""

import json
from ipaddress import IPv4Interface
from pathlib import Path
from typing import cast

from lab.machine import files
from lab.machine.command import inside, run
from lab.machine.mounts import is_mount_point, is_namespace
from lab.spec import BRIDGE, FABRIC, HOST_ADDRESS, SERVICE_CIDR, STATE_DIR, ClusterSpec

NETNS_DIR = Path("/run/netns")
_MADE_NETNS_DIR = STATE_DIR / "made-netns-folder"
_HOST_PORT = "host"
NODE_LINK = "eth0"
"""The node's end of its link to the fabric."""
_NODE_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    # Without this, iptables does not reverse a Service's address translation between two pods on one bridge.
    "net/bridge/bridge-nf-call-iptables": "1",
}


def namespaces() -> set[str]:
    """Return the named network namespaces of the machine."""
    return {path.name for path in NETNS_DIR.iterdir()} if NETNS_DIR.is_dir() else set()


def links(namespace: str | None = None) -> set[str]:
    """Return the names of the links in a namespace (None: the host's)."""
    where = ("-n", namespace) if namespace else ()
    found = cast("list[dict[str, str]]", json.loads(run("ip", "-j", *where, "link", "show")))
    return {link["ifname"] for link in found}


def is_own_link() -> bool:
    """Return whether the host has a link of the lab's name whose other end is in the lab's fabric."""
    if FABRIC not in links() or not is_namespace(NETNS_DIR / FABRIC) or _HOST_PORT not in links(FABRIC):
        return False
    here, there = _link(FABRIC), _link(_HOST_PORT, "-n", FABRIC)
    return (here["ifindex"], here.get("link_index")) == (there.get("link_index"), there["ifindex"])


def ensure_fabric() -> None:
    """Create the bridge and the host's link to it, as far as they are missing."""
    _ensure_namespace(FABRIC)
    if BRIDGE not in links(FABRIC):
        run("ip", "-n", FABRIC, "link", "add", BRIDGE, "type", "bridge")
    run("ip", "-n", FABRIC, "link", "set", BRIDGE, "up")
    if FABRIC not in links():
        run("ip", "link", "add", FABRIC, "type", "veth", "peer", _HOST_PORT, "netns", FABRIC)
    run("ip", "-n", FABRIC, "link", "set", _HOST_PORT, "master", BRIDGE, "up")
    run("ip", "link", "set", FABRIC, "addrgenmode", "none", "up")
    run("ip", "address", "replace", str(HOST_ADDRESS), "dev", FABRIC)


def ensure_fabric_address(interface: IPv4Interface) -> None:
    """Give the fabric's bridge an address, for a server that the host and every node reach."""
    run("ip", "-n", FABRIC, "link", "set", "lo", "up")
    run("ip", "-n", FABRIC, "address", "replace", str(interface), "dev", BRIDGE)


def ensure_node(spec: ClusterSpec) -> None:
    """Create a node's namespace with its address and its load balancer pool, as far as they are missing."""
    _ensure_namespace(spec.netns)
    if NODE_LINK not in links(spec.netns):
        peer = ("peer", NODE_LINK, "netns", spec.netns)
        run("ip", "-n", FABRIC, "link", "add", spec.bridge_port, "type", "veth", *peer)
    run("ip", "-n", FABRIC, "link", "set", spec.bridge_port, "master", BRIDGE, "up")
    run("ip", "-n", spec.netns, "link", "set", "lo", "up")
    run("ip", "-n", spec.netns, "link", "set", NODE_LINK, "address", spec.mac, "up")
    run("ip", "-n", spec.netns, "address", "replace", str(spec.interface), "dev", NODE_LINK)
    # With a local route the node answers ARP for the whole pool; kube-proxy forwards the packets.
    run("ip", "-n", spec.netns, "route", "replace", "local", str(spec.pool), "dev", "lo")
    # The API server calls webhooks by a Service's address, which kube-proxy rewrites only if a route to it exists.
    run("ip", "-n", spec.netns, "route", "replace", str(SERVICE_CIDR), "dev", NODE_LINK)
    writes = " && ".join(f"echo {value} >/proc/sys/{key}" for key, value in _NODE_SYSCTLS.items())
    run(*inside(str(spec.netns_path), None, ("sh", "-c", writes)))


def remove(nodes: tuple[ClusterSpec, ...]) -> None:
    """Remove the host's link, all namespaces, and the folder of namespaces if `up` created it."""
    if is_own_link():
        run("ip", "link", "delete", FABRIC)
    for name in namespaces() & {FABRIC, *(spec.netns for spec in nodes)}:
        run("ip", "netns", "delete", name)
    if _MADE_NETNS_DIR.exists() and NETNS_DIR.is_dir() and not namespaces():
        if is_mount_point(NETNS_DIR):
            run("umount", str(NETNS_DIR))
        NETNS_DIR.rmdir()


def remove_node(spec: ClusterSpec) -> None:
    """Remove a node's link to the fabric and its namespace."""
    # The kernel removes a namespace's links some time after the namespace, and the new link needs the name.
    if is_namespace(NETNS_DIR / FABRIC) and spec.bridge_port in links(FABRIC):
        run("ip", "-n", FABRIC, "link", "delete", spec.bridge_port)
    if spec.netns in namespaces():
        run("ip", "netns", "delete", spec.netns)


def _ensure_namespace(name: str) -> None:
    if not NETNS_DIR.exists():
        files.write(_MADE_NETNS_DIR, "")
    path = NETNS_DIR / name
    if not is_namespace(path):
        # A killed `ip` leaves a file without a namespace.
        path.unlink(missing_ok=True)
        run("ip", "netns", "add", name)


def _link(name: str, *where: str) -> dict[str, int]:
    (found,) = cast("list[dict[str, int]]", json.loads(run("ip", "-j", *where, "link", "show", "dev", name)))
    return found
