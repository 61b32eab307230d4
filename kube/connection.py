"""Builds clients of a cluster's API server, from a kubeconfig or from certificate files; sends nothing."""

import base64
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KubeConfigLoader


class KubeconfigError(ValueError):
    """A kubeconfig that the client library cannot use; the text quotes nothing of it."""


def from_kubeconfig(text: str, folder: Path = Path()) -> client.Configuration:
    """
    Read server, CA and credential from the current context of a kubeconfig.

    Args:
        text: The kubeconfig.
        folder: What the paths in it are relative to.

    Raises:
        KubeconfigError: The library cannot use it.
    """
    configuration = client.Configuration()
    try:
        document = yaml.safe_load(text)
        _move_data_to_memory(document)
        loader = KubeConfigLoader(config_dict=document, config_base_path=str(folder))  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (yaml.YAMLError, ConfigException, ValueError, KeyError, TypeError, AttributeError):
        # The library's own messages may quote the kubeconfig, which holds credentials.
        raise KubeconfigError("cannot be used: check its current context") from None
    # The callers know what may be retried, and for how long.
    configuration.retries = False
    return configuration


def from_certificate(server: str, *, ca_file: Path, certificate_file: Path, key_file: Path) -> client.Configuration:
    """
    Trust one CA and authenticate by one certificate, for a cluster on this machine.

    The library reads the key from its own file: from a kubeconfig it would copy it.
    """
    configuration = client.Configuration()
    configuration.host = server
    configuration.ssl_ca_cert = str(ca_file)
    configuration.cert_file = str(certificate_file)
    configuration.key_file = str(key_file)
    # A proxy that the environment names cannot reach this machine.
    configuration.proxy = None
    return configuration


def _move_data_to_memory(document: dict[str, Any]) -> None:
    """Keep keys and certificates in memory files: the library's own files in /tmp outlive a killed process."""
    if sys.platform != "linux":
        return
    for part in ("cluster", "user"):
        for entry in document.get(f"{part}s") or ():
            content = entry[part]
            for key in [key for key, data in content.items() if key.endswith("-data") and data]:
                # Open until the process ends: the library opens it again for each connection.
                memory = os.memfd_create(key)
                os.write(memory, base64.b64decode(content.pop(key)))
                content[key.removesuffix("-data")] = f"/proc/self/fd/{memory}"
