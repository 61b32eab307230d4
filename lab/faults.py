"""
Takes a node, or pods on it, off the network, and gives them back.

By rules in the node's own network namespace, so the host's packet filter has no part in it and `down` leaves none. A
link that is set down would not do for silence: nobody would answer ARP any more, and within seconds every peer is told
"no route to host".
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from errors import UserError
from lab.machine.command import inside, run
from lab.machine.network import NODE_LINK
from lab.preflight import require_root
from lab.spec import MAX_CLUSTERS, ClusterSpec, clusters, existing, find

_MARK = "mcsps-lab-cut"
_DROP = ("DROP",)
# A REJECT is allowed in these chains of this table alone; kube-proxy's own come after it there.
_REJECT = ("REJECT", "--reject-with", "tcp-reset")
_DROP_TABLE, _REJECT_TABLE = "mangle", "filter"


def cut(spec: ClusterSpec, pods: Sequence[IPv4Address] | None = None, *, is_silent: bool) -> None:
    """
    Let a node, or these of its pods alone, answer nothing (silent) or every TCP packet with a reset (refusing).

    Nothing ends: the kubelet still reaches the pods, so their cluster goes on to take them for ready.
    """
    for table, chain, match, target in _rules(pods, is_silent=is_silent):
        # The chain's head, or kube-proxy would have accepted the packet before.
        _iptables(spec, table, "-I", chain, *match, "-m", "comment", "--comment", _MARK, "-j", *target)


def heal(spec: ClusterSpec) -> None:
    """Take back every cut; without one this changes nothing."""
    for table in (_DROP_TABLE, _REJECT_TABLE):
        for rule in _iptables(spec, table, "-S").splitlines():
            if _MARK in rule:
                _, *rest = shlex.split(rule)
                _iptables(spec, table, "-D", *rest)


@dataclass(frozen=True)
class Nodes:
    """The nodes that a stack's clusters are, by the names that the stack gives them."""

    specs: Mapping[str, ClusterSpec]

    @classmethod
    def behind(cls, kubeconfigs: Mapping[str, Path | None]) -> Self:
        """
        Find them by the kubeconfigs through which the stack reaches its clusters (None: it uses none).

        Raises:
            UserError: One of the clusters is not the lab's, this process is not root's, or the lab is down.
        """
        known = {spec.kubeconfig: spec.name for spec in clusters(MAX_CLUSTERS)}
        if foreign := [name for name, path in kubeconfigs.items() if path not in known]:
            raise UserError(
                f"Not reached by a kubeconfig of the lab's: {', '.join(foreign)}",
                "Clusters that serve somebody are not taken away on purpose: name the lab's stack",
            )
        require_root()
        there = existing()
        return cls({name: find(known[path], there) for name, path in kubeconfigs.items() if path})

    def cut(self, cluster: str, pods: Sequence[str] | None = None, *, is_silent: bool) -> None:
        """Cut a cluster's node, or these of its pods alone, off the network."""
        addresses = None if pods is None else [IPv4Address(pod) for pod in pods]
        cut(self.specs[cluster], addresses, is_silent=is_silent)

    def heal(self, cluster: str) -> None:
        """Take back every cut of a cluster."""
        heal(self.specs[cluster])


def _rules(
    pods: Sequence[IPv4Address] | None, *, is_silent: bool
) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """Yield table, chain, match and target of each rule: pure."""
    tcp = ("-p", "tcp")
    for pod in map(str, pods or ()):
        if is_silent:
            yield _DROP_TABLE, "FORWARD", ("-d", pod), _DROP
            yield _DROP_TABLE, "FORWARD", ("-s", pod), _DROP
        else:
            yield _REJECT_TABLE, "FORWARD", ("-d", pod, *tcp), _REJECT
    if pods is None and is_silent:
        # Where the link is told for certain: a packet to a Service leaves OUTPUT with the link of the way before NAT.
        yield _DROP_TABLE, "PREROUTING", ("-i", NODE_LINK), _DROP
        yield _DROP_TABLE, "POSTROUTING", ("-o", NODE_LINK), _DROP
    elif pods is None:
        yield _REJECT_TABLE, "INPUT", ("-i", NODE_LINK, *tcp), _REJECT
        yield _REJECT_TABLE, "FORWARD", ("-i", NODE_LINK, *tcp), _REJECT


def _iptables(spec: ClusterSpec, table: str, *arguments: str) -> str:
    # In the node's own /run is the lock that its kube-proxy takes.
    command = ("iptables", "--wait", "--table", table, *arguments)
    return run(*inside(str(spec.netns_path), str(spec.mountns_path), command))
