"""
The reader of Pulumi's config: plain values, secrets and kubeconfig files.

All errors are raised before any resource is registered.
"""

from collections.abc import Iterable
from pathlib import Path

import pulumi
from cryptography import x509
from pulumi.runtime import config as pulumi_config

from config.base import NAMESPACE
from config.parsing import parse
from config.schema import KubeconfigAccess, Settings
from config.secrets import RANCHER_TOKEN, ROOT_PRIVATE_KEY, SECRET_KEYS, Secrets
from config.servers import check_servers
from config.stackfiles import read_value
from errors import UserError, show_location
from mesh import root_ca
from mesh.kubeconfigs import Endpoint, read_endpoint

UNREADABLE = {RuntimeError: "no user of that name has a home folder", UnicodeDecodeError: "it is not a text file"}


def load(config: pulumi.Config) -> tuple[Settings, Secrets]:
    """
    Read and check the whole stack config, its secrets and the kubeconfig files that it names.

    Raises:
        UserError: The config is invalid. The message names the keys, and never quotes a secret.
    """
    prefix = f"{config.name}:"
    keys = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    names = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
    _refuse_other_secrets(config, names)
    settings = parse({name: read_value(config.get(name)) for name in names if name not in SECRET_KEYS})
    secrets = {name: _secret(config, name) for name in SECRET_KEYS}

    key_pem = secrets[ROOT_PRIVATE_KEY]
    _check_root_key(settings.trust.root_certificate, key_pem)
    kubeconfigs = {
        cluster.name: _read_kubeconfig(f"{prefix}clusters[{index}].access.path", cluster.access.path)
        for index, cluster in enumerate(settings.clusters)
        if isinstance(cluster.access, KubeconfigAccess)
    }
    servers = {name: endpoint for name, (_, endpoint) in kubeconfigs.items()}
    check_servers(settings, servers)
    return settings, Secrets(
        kubeconfigs={name: text for name, (text, _) in kubeconfigs.items()},
        servers=servers,
        rancher_token=secrets[RANCHER_TOKEN],
        root_private_key=key_pem,
    )


def _is_secret(key: str) -> bool:
    return pulumi_config.is_config_secret(key) or key in pulumi_config.get_config_secret_keys_env()


def _refuse_other_secrets(config: pulumi.Config, names: Iterable[str]) -> None:
    for key in (config.full_key(name) for name in sorted(names) if name not in SECRET_KEYS):
        if _is_secret(key):
            raise UserError(
                f"got a secret; allowed as secrets: {', '.join(SECRET_KEYS)}",
                "Store it in plain text, since plans and error messages show it",
                key=key,
            )


def _secret(config: pulumi.Config, name: str) -> str | None:
    text = config.get(name)
    key = config.full_key(name)
    if text and not _is_secret(key):
        raise UserError(
            "got plain text; allowed: a secret",
            f"Treat the value as leaked, replace it by a new one, and run: pulumi config set --secret {key}",
            key=key,
        )
    return text or None


def _check_root_key(certificate: x509.Certificate | None, key_pem: str | None) -> None:
    if (certificate is None) != (key_pem is None):
        has, lacks = "trust.rootCertificate", ROOT_PRIVATE_KEY
        if key_pem:
            has, lacks = lacks, has
        raise UserError(
            f"missing, and {NAMESPACE}:{has} is set; allowed: both or neither",
            "Set it, or remove the other",
            key=f"{NAMESPACE}:{lacks}",
        )
    if certificate is not None and key_pem is not None:
        try:
            root_ca.check_key_fits(certificate, key_pem)
        except ValueError as error:
            raise UserError(
                str(error), f"Set the key of {NAMESPACE}:trust.rootCertificate", key=f"{NAMESPACE}:{ROOT_PRIVATE_KEY}"
            ) from None


def _read_kubeconfig(key: str, path: Path) -> tuple[str, Endpoint]:
    shown = show_location(str(path))
    try:
        text = path.expanduser().read_text()
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else UNREADABLE[type(error)]
        raise UserError(
            f"got {shown}, which cannot be read: {reason}", "Set the path of a readable kubeconfig", key=key
        ) from None
    try:
        return text, read_endpoint(text)
    except ValueError as error:
        raise UserError(
            f"the kubeconfig {shown} {error}", "Set the path of a kubeconfig that kubectl can use", key=key
        ) from None
