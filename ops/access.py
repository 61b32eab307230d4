"""Opens each cluster's API in the way that the stack's config says."""

import threading
from pathlib import Path

import yaml
from kubernetes import client, config
from kubernetes.config import ConfigException

import settings
from components import _kubeconfig
from ops import stack as stacks
from ops.api import ClusterApi
from ops.errors import OpsError


def connect(
    chosen: settings.Settings, stack: str, root: Path, interrupted: threading.Event | None = None
) -> dict[str, ClusterApi]:
    """
    Make one API client for each cluster; nothing is sent yet.

    Args:
        chosen: The stack's config.
        stack: Its name.
        root: The folder of Pulumi.yaml.
        interrupted: Ends commands in containers when it is set.

    Raises:
        OpsError: A kubeconfig cannot be used, or the Rancher token cannot be had.
    """
    token = ""
    if any(isinstance(cluster.access, settings.RancherAccess) for cluster in chosen.clusters):
        token = stacks.secret(stack, settings.RANCHER_TOKEN, root)
    configurations = {}
    for cluster in chosen.clusters:
        try:
            configurations[cluster.name] = _configuration(chosen.rancher, cluster.access, token)
        except (ConfigException, ValueError, KeyError, TypeError) as error:
            # The library's own messages may quote the kubeconfig, which holds credentials.
            ours = isinstance(error, _KubeconfigError)
            reason = str(error) if ours else "cannot be used: check its current context"
            raise OpsError(f"the kubeconfig of cluster {cluster.name} {reason}") from None
    return {name: ClusterApi(configuration, interrupted) for name, configuration in configurations.items()}


class _KubeconfigError(ValueError):
    """A kubeconfig that cannot be used; the text quotes nothing of it."""


def _configuration(
    rancher: settings.Rancher | None,
    access: settings.KubeconfigAccess | settings.RancherAccess,
    token: str,
) -> client.Configuration:
    configuration = client.Configuration()
    if isinstance(access, settings.KubeconfigAccess):
        config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=str(_checked(access.path)),
            client_configuration=configuration,
            persist_config=False,
        )
    elif rancher is not None:
        document = _kubeconfig.render_token_kubeconfig(
            name=access.cluster_id,
            server=_kubeconfig.rancher_server(rancher.url, access.cluster_id),
            ca_pem=rancher.ca_certs,
            token=token,
        )
        config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
            yaml.safe_load(document), client_configuration=configuration, persist_config=False
        )
    return configuration


def _checked(path: Path) -> Path:
    file = path.expanduser()
    try:
        _kubeconfig.read_endpoint(file.read_text())
    except UnicodeDecodeError:
        raise _KubeconfigError(f"{path} is not text") from None
    except OSError as error:
        raise _KubeconfigError(f"{path} cannot be read: {error.strerror}; is the cluster up?") from None
    except ValueError as error:
        raise _KubeconfigError(f"{path} {error}") from None
    return file
