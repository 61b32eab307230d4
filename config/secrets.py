"""The secrets of the stack config."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.kubeconfigs import Endpoint

RANCHER_TOKEN = "rancherToken"  # noqa: S105 - the name of a config key
ROOT_PRIVATE_KEY = "rootPrivateKey"
SECRET_KEYS: Mapping[str, str] = {
    RANCHER_TOKEN: (
        "A Rancher API token without scope, for access `rancher`. Its user must own each cluster, and be an "
        "administrator if `rancher.peersUser` is true."
    ),
    ROOT_PRIVATE_KEY: "The unencrypted PEM key of `trust.rootCertificate`. Set both or neither.",
}
"""The meaning of each secret key."""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The secrets as plain text, for the program only: `wiring` marks as secret what becomes part of a resource."""

    kubeconfigs: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Kubeconfig text by cluster name, for access `kubeconfig`."""
    servers: Mapping[str, Endpoint] = field(default_factory=dict, repr=False)
    """The API server of each of these kubeconfigs; not secret."""
    rancher_token: str | None = field(default=None, repr=False)
    """The Rancher API token; `None` if it is not set."""
    root_private_key: str | None = field(default=None, repr=False)
    """PEM of the key of `trust.rootCertificate`; `None` if it is not set."""
