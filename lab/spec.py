"""
Where everything of the lab is: names, addresses and paths, as a function of a cluster's index.

Pure but for `existing`, which looks for folders. Every other module of the lab takes its names from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from errors import UserError

STATE_DIR = Path("/var/lib/mcsps-lab")
"""Root of all that a running lab keeps on disk; removed as a whole by `down`."""
REMOVING_DIR = STATE_DIR.with_name(f"{STATE_DIR.name}.removing")
"""What STATE_DIR is called while `down` removes it."""
NAMESPACES_DIR = STATE_DIR / "namespaces"
"""Holds one bind mount a cluster, which keeps the node's mount namespace alive."""
CHARTS_DIR = STATE_DIR / "charts"

FABRIC = "mcsps-lab"
"""Name of the fabric's network namespace, of the link on the host, and of the top cgroup."""
BRIDGE = "fabric"
FABRIC_NETWORK = IPv4Network("198.18.0.0/16")
RESERVED_NETWORK = IPv4Network("198.18.0.0/15")
"""RFC 2544's benchmarking block, into which no other route of a lab machine may lead."""
HOST_ADDRESS = IPv4Interface("198.18.0.1/16")

POD_CIDR = IPv4Network("10.42.0.0/16")
SERVICE_CIDR = IPv4Network("10.43.0.0/16")
"""Pod and service ranges are the same in every cluster: only a multi-network mesh copes."""
CLUSTER_DOMAIN = "cluster.local"
DNS_ADDRESS = SERVICE_CIDR[10]
KUBERNETES_ADDRESS = SERVICE_CIDR[1]
API_PORT = 6443

MAX_CLUSTERS = 16
DEFAULT_CLUSTERS = 2
_NAMES = ("east", "west", "north", "south")


@dataclass(frozen=True)
class ClusterSpec:
    """One cluster, which is one node; `index` counts from 1."""

    index: int

    @property
    def name(self) -> str:
        """The name of the cluster and of its node."""
        return _NAMES[self.index - 1] if self.index <= len(_NAMES) else f"cluster-{self.index}"

    @property
    def address(self) -> IPv4Address:
        """The node's address, and the API server's."""
        return FABRIC_NETWORK[10 + self.index]

    @property
    def interface(self) -> IPv4Interface:
        """The node's address with the fabric's prefix length."""
        return IPv4Interface((self.address, FABRIC_NETWORK.prefixlen))

    @property
    def mac(self) -> str:
        """The node's link address, fixed so that no peer remembers the one of an earlier link."""
        return ":".join(f"{byte:02x}" for byte in (0x02, 0x00, *self.address.packed))

    @property
    def server(self) -> str:
        """The API server's URL, from the host and from every pod of every cluster."""
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
        """The part of `cgroup` that the kubelet owns."""
        return f"{self.cgroup}/pods"

    @property
    def directory(self) -> Path:
        """The cluster's folder; the folders below are all inside it."""
        return STATE_DIR / self.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Keys, certificates, and the components' kubeconfigs."""
        return self.directory / "pki"

    @property
    def logs(self) -> Path:
        """One file a component, and `pods/` as the kubelet writes it."""
        return self.directory / "logs"

    @property
    def config(self) -> Path:
        """The components' configuration files."""
        return self.directory / "config"

    @property
    def run(self) -> Path:
        """Pid files and sockets."""
        return self.directory / "run"

    @property
    def data(self) -> Path:
        """What etcd, containerd and the kubelet store."""
        return self.directory / "data"


def clusters(count: int) -> tuple[ClusterSpec, ...]:
    """Return the first `count` clusters; UserError outside 1 to 16."""
    if not 1 <= count <= MAX_CLUSTERS:
        raise UserError(
            f"{count} clusters were asked for",
            f"Ask for 1 to {MAX_CLUSTERS}: python -m lab up --clusters {DEFAULT_CLUSTERS}",
        )
    return tuple(ClusterSpec(index) for index in range(1, count + 1))


def existing(state_dir: Path = STATE_DIR) -> tuple[ClusterSpec, ...]:
    """Return every cluster up to the last one that has a folder; this reads `state_dir`."""
    made = [spec.index for spec in clusters(MAX_CLUSTERS) if (state_dir / spec.name).is_dir()]
    return clusters(max(made)) if made else ()


def find(name: str, known: Iterable[ClusterSpec]) -> ClusterSpec:
    """Return the cluster of that name; UserError says which names there are."""
    by_name = {spec.name: spec for spec in known}
    if name in by_name:
        return by_name[name]
    if not by_name:
        raise UserError(f"There is no cluster {name}: the lab is down", "Run: python -m lab up")
    raise UserError(f"There is no cluster {name}", f"Name one of: {', '.join(by_name)}")
