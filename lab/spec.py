"""
Names, addresses and paths of the lab, as a function of a cluster's index.

Pure except for `existing`, which looks for folders. Every other module of the lab takes its names from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from errors import UserError

STATE_DIR = Path("/var/lib/mcsps-lab")
"""The root of the lab's files on disk, which `down` removes as a whole."""
REMOVING_DIR = STATE_DIR.with_name(f"{STATE_DIR.name}.removing")
"""The name of STATE_DIR while `down` removes it."""
NAMESPACES_DIR = STATE_DIR / "namespaces"
"""The folder with one bind mount for each cluster, which keeps the node's mount namespace alive."""
CHARTS_DIR = STATE_DIR / "charts"

FABRIC = "mcsps-lab"
"""The name of the fabric's network namespace, of the link on the host, and of the top cgroup."""
BRIDGE = "fabric"
FABRIC_NETWORK = IPv4Network("198.18.0.0/16")
RESERVED_NETWORK = IPv4Network("198.18.0.0/15")
"""The benchmarking block of RFC 2544; no other route of the machine may lead into it."""
HOST_ADDRESS = IPv4Interface("198.18.0.1/16")

POD_CIDR = IPv4Network("10.42.0.0/16")
SERVICE_CIDR = IPv4Network("10.43.0.0/16")
"""The range of Services. Pod and Service ranges are the same in every cluster, as in a multi-network mesh."""
CLUSTER_DOMAIN = "cluster.local"
DNS_ADDRESS = SERVICE_CIDR[10]
KUBERNETES_ADDRESS = SERVICE_CIDR[1]
API_PORT = 6443

MAX_CLUSTERS = 16
DEFAULT_CLUSTERS = 2
_NAMES = ("east", "west", "north", "south")


@dataclass(frozen=True)
class ClusterSpec:
    """One cluster with its one node; `index` counts from 1."""

    index: int

    @property
    def name(self) -> str:
        """The name of the cluster and of its node."""
        return _NAMES[self.index - 1] if self.index <= len(_NAMES) else f"cluster-{self.index}"

    @property
    def address(self) -> IPv4Address:
        """The address of the node and of its API server."""
        return FABRIC_NETWORK[10 + self.index]

    @property
    def interface(self) -> IPv4Interface:
        """The node's address with the fabric's prefix length."""
        return IPv4Interface((self.address, FABRIC_NETWORK.prefixlen))

    @property
    def mac(self) -> str:
        """The node's link address. It is fixed, so that peers with an old ARP entry still reach the node."""
        return ":".join(f"{byte:02x}" for byte in (0x02, 0x00, *self.address.packed))

    @property
    def server(self) -> str:
        """The API server's URL, valid on the host and in every pod of every cluster."""
        return f"https://{self.address}:{API_PORT}"

    @property
    def pool(self) -> IPv4Network:
        """The addresses of the cluster's Services of type LoadBalancer."""
        return IPv4Network((int(FABRIC_NETWORK[0]) + ((10 + self.index) << 8), 24))

    @property
    def netns(self) -> str:
        """The node's network namespace, as `ip netns` lists it."""
        return f"{FABRIC}-{self.name}"

    @property
    def netns_path(self) -> Path:
        """The file that `nsenter --net` takes."""
        return Path("/run/netns") / self.netns

    @property
    def mountns_path(self) -> Path:
        """The file that `nsenter --mount` takes."""
        return NAMESPACES_DIR / self.name

    @property
    def bridge_port(self) -> str:
        """The fabric's end of the node's link (15 characters at most)."""
        return f"node{self.index}"

    @property
    def cgroup(self) -> str:
        """The cgroup, from the hierarchy's root, that holds all of the cluster's processes."""
        return f"{FABRIC}/{self.name}"

    @property
    def system_cgroup(self) -> str:
        """The part of `cgroup` for the cluster's own components."""
        return f"{self.cgroup}/system"

    @property
    def pods_cgroup(self) -> str:
        """The part of `cgroup` that the kubelet manages."""
        return f"{self.cgroup}/pods"

    @property
    def directory(self) -> Path:
        """The cluster's folder, which contains the folders below."""
        return STATE_DIR / self.name

    @property
    def removal_mark(self) -> Path:
        """The file that exists while the cluster is removed, so that a killed `rebuild` can be completed."""
        return self.directory / "removing"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def pki(self) -> Path:
        """The folder of keys, certificates and the components' kubeconfigs."""
        return self.directory / "pki"

    @property
    def logs(self) -> Path:
        """The folder with one log for each component, and `pods/`, which the kubelet writes."""
        return self.directory / "logs"

    @property
    def config(self) -> Path:
        """The folder of the components' configuration files."""
        return self.directory / "config"

    @property
    def run(self) -> Path:
        """The folder of records and sockets of the components."""
        return self.directory / "run"

    @property
    def data(self) -> Path:
        """The folder for the data of etcd, containerd and the kubelet."""
        return self.directory / "data"


def clusters(count: int) -> tuple[ClusterSpec, ...]:
    """
    Return the first `count` clusters.

    Raises:
        UserError: `count` is not in 1 to 16.
    """
    if not 1 <= count <= MAX_CLUSTERS:
        raise UserError(
            f"The lab cannot have {count} clusters",
            f"Use 1 to {MAX_CLUSTERS}: python -m lab up --clusters {DEFAULT_CLUSTERS}",
        )
    return tuple(ClusterSpec(index) for index in range(1, count + 1))


def existing(state_dir: Path = STATE_DIR) -> tuple[ClusterSpec, ...]:
    """Return every cluster up to the last one that has a folder in `state_dir`."""
    made = [spec.index for spec in clusters(MAX_CLUSTERS) if (state_dir / spec.name).is_dir()]
    return clusters(max(made)) if made else ()


def find(name: str, known: Iterable[ClusterSpec]) -> ClusterSpec:
    """
    Return the cluster of that name.

    Raises:
        UserError: There is none; the message or the remedy lists the names.
    """
    by_name = {spec.name: spec for spec in known}
    if name in by_name:
        return by_name[name]
    if not by_name:
        raise UserError(f"There is no cluster {name}: the lab is down", "Run: python -m lab up")
    raise UserError(f"There is no cluster {name}", f"Use one of: {', '.join(by_name)}")
