"""What of the stack config is secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.kubeconfigs import Endpoint

RANCHER_TOKEN = "rancherToken"  # noqa: S105 - the name of a config key
ROOT_PRIVATE_KEY = "rootPrivateKey"
SECRET_KEYS = (RANCHER_TOKEN, ROOT_PRIVATE_KEY)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Plain texts, for the program alone: whatever becomes part of a resource is marked as secret by `wiring`."""

    kubeconfigs: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Kubeconfig text by cluster name, for access `kubeconfig`."""
    servers: Mapping[str, Endpoint] = field(default_factory=dict, repr=False)
    """Where each of these kubeconfigs leads; not secret."""
    rancher_token: str | None = field(default=None, repr=False)
    root_private_key: str | None = field(default=None, repr=False)
    """PEM of the key of `trust.rootCertificate`."""
