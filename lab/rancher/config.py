"""The server's configuration file, which the starting command writes."""

from ipaddress import IPv4Address
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict


class ClusterConfig(BaseModel):
    """A cluster of the server, with the administrator's access to its API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Rancher's id of the cluster, such as `c-f7r9g`."""
    name: str
    server: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    enable_network_policy: bool = False
    """Whether project network isolation is on: NetworkPolicies that block other projects."""
    pod_cidr: str = ""
    """The pod range of nodes that do not state one, as in the lab."""


class ServerConfig(BaseModel):
    """The server's addresses, files and clusters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: IPv4Address
    port: int
    url: str
    """The URL for clients, which is the setting `server-url` and goes into kubeconfigs."""
    ca_file: Path
    certificate_file: Path
    key_file: Path
    state_file: Path | None = None
    """The file of the store; if unset, the store is in memory."""
    admin_token_file: Path
    """The file to which the first start writes the administrator's token, with mode 0600."""
    version: str = "v2.13.0"
    clusters: tuple[ClusterConfig, ...] = ()


def read(path: Path) -> ServerConfig:
    """Return the configuration in a file."""
    return ServerConfig.model_validate(yaml.safe_load(path.read_text()))


def render(config: ServerConfig) -> str:
    """Return the text of a configuration file."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
