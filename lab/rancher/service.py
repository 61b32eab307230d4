"""
The lab's Rancher as a process of the lab: its place, its start, and its health.

It listens on the fabric and not in a node, so that it is independent of each cluster and reachable from all pods.
"""

import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

import httpx

from errors import UserError
from lab.machine import cgroups, files, network, pki, processes
from lab.machine.processes import Component
from lab.rancher import config
from lab.rancher.config import ClusterConfig, ServerConfig
from lab.spec import FABRIC, FABRIC_NETWORK, POD_CIDR, STATE_DIR, ClusterSpec

NAME = "rancher"
INTERFACE = IPv4Interface((FABRIC_NETWORK[2], FABRIC_NETWORK.prefixlen))
PORT = 443
URL = f"https://{INTERFACE.ip}"
_ASK_SECONDS = 2.0
_START_SECONDS = 30.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RancherPlace:
    """The place of the server: on the fabric, with a folder next to those of the clusters."""

    name: str = NAME

    @property
    def netns_path(self) -> Path:
        """The fabric's network namespace."""
        return network.NETNS_DIR / FABRIC

    @property
    def mountns_path(self) -> Path:
        """The mount namespace, which the server does not use."""
        return Path("/proc/self/ns/mnt")

    @property
    def directory(self) -> Path:
        """The folder of the server's files."""
        return STATE_DIR / NAME

    @property
    def run(self) -> Path:
        """The folder of the process record."""
        return self.directory / "run"

    @property
    def logs(self) -> Path:
        """The folder of the log."""
        return self.directory / "logs"

    @property
    def pki(self) -> Path:
        """The folder of the CA, the key and the certificate; clients trust `ca.crt` in it."""
        return self.directory / "pki"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.directory / "config.yaml"

    @property
    def admin_token(self) -> Path:
        """The file of the administrator's token, with mode 0600."""
        return self.directory / "admin-token"


PLACE = RancherPlace()


def cluster_id(spec: ClusterSpec) -> str:
    """Return Rancher's id of a cluster of the lab, which is fixed so that stack files can name it."""
    return f"c-lab{spec.index:02d}"


def is_wanted() -> bool:
    """Return whether this lab has a Rancher, which stays once requested."""
    return PLACE.config.exists()


def server_config(specs: Sequence[ClusterSpec], *, is_isolated: bool) -> ServerConfig:
    """Return the server's configuration for these clusters: pure."""
    return ServerConfig(
        address=INTERFACE.ip,
        port=PORT,
        url=URL,
        ca_file=PLACE.pki / "ca.crt",
        certificate_file=PLACE.pki / f"{NAME}.crt",
        key_file=PLACE.pki / f"{NAME}.key",
        state_file=PLACE.directory / "state.json",
        admin_token_file=PLACE.admin_token,
        clusters=tuple(
            ClusterConfig(
                id=cluster_id(spec),
                name=spec.name,
                server=spec.server,
                ca_file=spec.pki / "ca.crt",
                certificate_file=spec.pki / "admin.crt",
                key_file=spec.pki / "admin.key",
                enable_network_policy=is_isolated,
                pod_cidr=str(POD_CIDR),
            )
            for spec in specs
        ),
    )


def component(server: ServerConfig) -> Component:
    """Return the server's process; a new certificate, configuration or program requires a restart."""
    certificates = [server.certificate_file, *(cluster.certificate_file for cluster in server.clusters)]
    program = sorted(Path(__file__).parent.rglob("*.py"))
    return Component(
        NAME,
        (sys.executable, "-m", "lab.rancher", f"--config={PLACE.config}"),
        config_files=(PLACE.config, *certificates, *program),
        environment={"PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"},
    )


def ensure(specs: Sequence[ClusterSpec], *, is_isolated: bool) -> None:
    """Ensure that the server runs for these clusters; isolation stays once requested."""
    was_isolated = is_wanted() and any(it.enable_network_policy for it in config.read(PLACE.config).clusters)
    server = server_config(specs, is_isolated=is_isolated or was_isolated)
    pki.ensure_server(PLACE.pki, "mcsps-lab rancher", pki.Subject(NAME, NAME, addresses=(INTERFACE.ip,)))
    files.write(PLACE.config, config.render(server))
    network.ensure_fabric_address(INTERFACE)
    processes.ensure(PLACE, component(server), cgroups.procs_file(specs[0], cgroups.hierarchies()))
    processes.wait(PLACE, NAME, is_ready, NAME, seconds=_START_SECONDS)


def stop() -> None:
    """Stop the server; its store stays."""
    processes.stop(PLACE, NAME)


def is_ready() -> bool:
    """Return whether the server answers, over TLS verified with its CA."""
    try:
        verify = ssl.create_default_context(cafile=PLACE.pki / "ca.crt")
        with httpx.Client(verify=verify, trust_env=False, timeout=_ASK_SECONDS) as client:
            return client.get(f"{URL}/ping").text == "pong"
    except (httpx.TransportError, FileNotFoundError):
        return False


def log() -> Path:
    """
    Return the server's log.

    Raises:
        UserError: There is none.
    """
    path = processes.log_path(PLACE, NAME)
    if not path.exists():
        raise UserError("This lab has no Rancher", "Run: python -m lab up --rancher")
    return path
