"""Opens each cluster's API in the way that the stack's config says."""

import base64
import os
import sys
import threading
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KubeConfigLoader

from config.base import NAMESPACE
from config.preflight import rancher as rancher_preflight
from config.schema import Cluster, KubeconfigAccess, Rancher, RancherAccess, Settings
from config.secrets import RANCHER_TOKEN
from errors import UserError
from mesh import kubeconfigs
from ops import stack as stacks
from ops.cluster.api import ClusterApi


def connect(
    settings: Settings,
    stack: str,
    root: Path,
    interrupted: threading.Event | None = None,
    rancher_token_file: Path | None = None,
) -> dict[str, ClusterApi]:
    """
    Make one API client for each cluster; nothing is sent yet.

    Args:
        settings: The stack's config.
        stack: Its name.
        root: The folder of Pulumi.yaml.
        interrupted: Ends commands in containers when it is set.
        rancher_token_file: Holds Rancher's token, in place of the stack's encrypted config.

    Raises:
        UserError: A kubeconfig cannot be used, the Rancher token cannot be had, or Rancher does not know a cluster.
    """
    token = ""
    if any(isinstance(cluster.access, RancherAccess) for cluster in settings.clusters):
        token = _read_token(rancher_token_file) if rancher_token_file else stacks.secret(stack, RANCHER_TOKEN, root)
        # A library that finds a bad header quotes it.
        rancher_preflight.check_token(token)
    configurations = {}
    for index, cluster in enumerate(settings.clusters):
        try:
            configurations[cluster.name] = _configuration(
                settings.rancher, cluster, f"{NAMESPACE}:clusters[{index}].access", token
            )
        except (ConfigException, ValueError, KeyError, TypeError) as error:
            # The library's own messages may quote the kubeconfig, which holds credentials.
            ours = isinstance(error, _KubeconfigError)
            reason = str(error) if ours else "cannot be used: check its current context"
            raise UserError(f"the kubeconfig of cluster {cluster.name} {reason}") from None
    return {name: ClusterApi(configuration, interrupted) for name, configuration in configurations.items()}


class _KubeconfigError(ValueError):
    """A kubeconfig that cannot be used; the text quotes nothing of it."""


def _configuration(rancher: Rancher | None, cluster: Cluster, key: str, token: str) -> client.Configuration:
    access = cluster.access
    if isinstance(access, KubeconfigAccess):
        return _loaded(_read_kubeconfig(access.path), access.path.expanduser().parent)
    assert rancher is not None  # noqa: S101 - the config sees to it
    document = kubeconfigs.render_token_kubeconfig(
        name=cluster.name,
        server=kubeconfigs.rancher_server(rancher.url, _cluster_id(rancher, key, access, token)),
        ca_pem=rancher.ca_certs,
        token=token,
    )
    return _loaded(document, Path())


def _loaded(kubeconfig: str, folder: Path) -> client.Configuration:
    """Load a kubeconfig whose paths are relative to a folder."""
    configuration = client.Configuration()
    document = yaml.safe_load(kubeconfig)
    _move_data_to_memory(document)
    loader = KubeConfigLoader(config_dict=document, config_base_path=str(folder))  # type: ignore[no-untyped-call]
    loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    return configuration


def _move_data_to_memory(document: dict[str, Any]) -> None:
    """Have keys and certificates in files of memory: the library's own, in /tmp, would outlive a killed process."""
    if sys.platform != "linux":
        return
    for part in ("cluster", "user"):
        for entry in document.get(f"{part}s") or ():
            content = entry[part]
            for key in [key for key, data in content.items() if key.endswith("-data") and data]:
                # Open until the process ends: the library opens it anew for each connection.
                memory = os.memfd_create(key)
                os.write(memory, base64.b64decode(content.pop(key)))
                content[key.removesuffix("-data")] = f"/proc/self/fd/{memory}"


def _cluster_id(rancher: Rancher, key: str, access: RancherAccess, token: str) -> str:
    if access.cluster_id is not None:
        return access.cluster_id
    wanted = rancher_preflight.ClusterQuery(key=key, id=None, name=access.cluster_name)
    return rancher_preflight.find(rancher.url, rancher.ca_certs, token, wanted)


def _read_token(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise UserError(f"the file of Rancher's token, {file}, cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"the file of Rancher's token, {file}, is not text") from None


def _read_kubeconfig(path: Path) -> str:
    try:
        text = path.expanduser().read_text()
        kubeconfigs.read_endpoint(text)
    except UnicodeDecodeError:
        raise _KubeconfigError(f"{path} is not text") from None
    except OSError as error:
        raise _KubeconfigError(f"{path} cannot be read: {error.strerror}; is the cluster up?") from None
    except ValueError as error:
        raise _KubeconfigError(f"{path} {error}") from None
    return text
