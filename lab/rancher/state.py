"""What the parts of the server share."""

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
    """One server: what it was told, what it remembers, and the clusters that it reaches."""

    config: ServerConfig
    store: Store
    tokens: Tokens
    rights: Rights
    apis: Mapping[str, KubeApi]
    """By the id of the cluster."""
    now: Callable[[], datetime]
