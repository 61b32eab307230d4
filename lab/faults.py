"""
Disconnects a node, or pods on it, from the network, and reconnects them.

The rules are in the node's network namespace, so they do not touch the host's packet filter and go with the node. A
link set down is no blackhole: the node stops answering ARP, and within seconds its peers get "no route to host".
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
# Only these chains of this table allow REJECT; kube-proxy's rules come later in them.
_REJECT = ("REJECT", "--reject-with", "tcp-reset")
_DROP_TABLE, _REJECT_TABLE = "mangle", "filter"


def cut(spec: ClusterSpec, pods: Sequence[IPv4Address] | None = None, *, is_silent: bool) -> None:
    """
    Make a node, or only these pods, drop every packet (silent) or reset every TCP connection.

    No pod terminates. The kubelet still reaches the pods, so the cluster keeps them ready.
    """
    for table, chain, match, target in _rules(pods, is_silent=is_silent):
        # Inserted first, because kube-proxy's rules would accept the packet.
        _iptables(spec, table, "-I", chain, *match, "-m", "comment", "--comment", _MARK, "-j", *target)


def heal(spec: ClusterSpec) -> None:
    """Remove every cut of a node; without one this changes nothing."""
    for table in (_DROP_TABLE, _REJECT_TABLE):
        for rule in _iptables(spec, table, "-S").splitlines():
            if _MARK in rule:
                _, *rest = shlex.split(rule)
                _iptables(spec, table, "-D", *rest)


@dataclass(frozen=True)
class Nodes:
    """The nodes of a stack's clusters, by the cluster names of the stack."""

    specs: Mapping[str, ClusterSpec]

    @classmethod
    def behind(cls, kubeconfigs: Mapping[str, Path | None]) -> Self:
        """
        Find the nodes by the kubeconfigs of the stack's clusters (None: the cluster has none).

        Raises:
            UserError: A cluster is not in the lab, this process does not run as root, or the lab is down.
        """
        known = {spec.kubeconfig: spec.name for spec in clusters(MAX_CLUSTERS)}
        if foreign := [name for name, path in kubeconfigs.items() if path not in known]:
            raise UserError(
                f"These clusters have no kubeconfig of the lab: {', '.join(foreign)}",
                "The drill disconnects only clusters of the lab. Use the lab's stack",
            )
        require_root()
        there = existing()
        return cls({name: find(known[path], there) for name, path in kubeconfigs.items() if path})

    def cut(self, cluster: str, pods: Sequence[str] | None = None, *, is_silent: bool) -> None:
        """Cut a cluster's node, or only these of its pods, off the network."""
        addresses = None if pods is None else [IPv4Address(pod) for pod in pods]
        cut(self.specs[cluster], addresses, is_silent=is_silent)

    def heal(self, cluster: str) -> None:
        """Remove every cut of a cluster's node."""
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
        # Match the interface only where it is final: before NAT a packet to a Service still has the old one.
        yield _DROP_TABLE, "PREROUTING", ("-i", NODE_LINK), _DROP
        yield _DROP_TABLE, "POSTROUTING", ("-o", NODE_LINK), _DROP
    elif pods is None:
        yield _REJECT_TABLE, "INPUT", ("-i", NODE_LINK, *tcp), _REJECT
        yield _REJECT_TABLE, "FORWARD", ("-i", NODE_LINK, *tcp), _REJECT


def _iptables(spec: ClusterSpec, table: str, *arguments: str) -> str:
    # The iptables lock of the node's kube-proxy is in the node's own /run.
    command = ("iptables", "--wait", "--table", table, *arguments)
    return run(*inside(str(spec.netns_path), str(spec.mountns_path), command))
