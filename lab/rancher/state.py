"""The state that the parts of the server share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from lab.rancher.config import ServerConfig
from lab.rancher.kube import KubeApi
from lab.rancher.rights import Rights
from lab.rancher.store import Store
from lab.rancher.tokens import Tokens


@dataclass(frozen=True)
class Rancher:
    """One server: its configuration, its store, and its connections to the clusters."""

    config: ServerConfig
    store: Store
    tokens: Tokens
    rights: Rights
    apis: Mapping[str, KubeApi]
    """The connections by the id of the cluster."""
    now: Callable[[], datetime]
