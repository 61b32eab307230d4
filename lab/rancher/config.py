"""What the server is told at its start: one file, written by whoever starts it."""

from ipaddress import IPv4Address
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict


class ClusterConfig(BaseModel):
    """A cluster that the server knows from its start, and how it reaches the API as an administrator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Rancher's id, such as `c-f7r9g`."""
    name: str
    server: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    enable_network_policy: bool = False
    """Project network isolation: whether Rancher keeps other projects away by NetworkPolicies."""
    pod_cidr: str = ""
    """The pods' range on a node that does not state its own, as no node of the lab does."""


class ServerConfig(BaseModel):
    """Where the server listens, what it keeps where, and its clusters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: IPv4Address
    port: int
    url: str
    """What clients call it; it goes into the setting `server-url`, and from there into kubeconfigs."""
    ca_file: Path
    certificate_file: Path
    key_file: Path
    state_file: Path | None = None
    """Where the store is kept; without one, in memory."""
    admin_token_file: Path
    """Where the first start leaves the administrator's token, with mode 0600."""
    version: str = "v2.13.0"
    clusters: tuple[ClusterConfig, ...] = ()


def read(path: Path) -> ServerConfig:
    """Return what the file says."""
    return ServerConfig.model_validate(yaml.safe_load(path.read_text()))


def render(config: ServerConfig) -> str:
    """Return the text of a file that says this."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
