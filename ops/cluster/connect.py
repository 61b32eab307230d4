"""Opens each cluster's API by the access that the stack's config gives."""

import threading
from pathlib import Path

from kubernetes import client

from config.base import NAMESPACE
from config.preflight import rancher as rancher_preflight
from config.schema import Cluster, KubeconfigAccess, Rancher, RancherAccess, Settings
from config.secrets import RANCHER_TOKEN
from errors import UserError
from kube import connection
from kube.connection import KubeconfigError
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
    Make one API client for each cluster that is not away; nothing is sent yet.

    Args:
        settings: The stack's config.
        stack: Its name.
        root: The folder of Pulumi.yaml.
        interrupted: Ends commands in containers when it is set.
        rancher_token_file: Holds Rancher's token, in place of the stack's encrypted config.

    Raises:
        UserError: A kubeconfig cannot be used, the Rancher token is not available, or Rancher does not know a cluster.
    """
    token = ""
    if any(isinstance(cluster.access, RancherAccess) for cluster in settings.present):
        token = _read_token(rancher_token_file) if rancher_token_file else stacks.secret(stack, RANCHER_TOKEN, root)
        # A library that finds a bad header quotes it.
        rancher_preflight.check_token(token)
    configurations = {}
    for index, cluster in enumerate(settings.clusters):
        if cluster.away:
            continue
        key = f"{NAMESPACE}:clusters[{index}].access"
        try:
            configurations[cluster.name] = _configuration(settings.rancher, cluster, key, token)
        except KubeconfigError as error:
            raise UserError(
                f"the kubeconfig of cluster {cluster.name} {error}",
                f"Check that the cluster is up, and that {key}.path names its kubeconfig",
            ) from None
    return {name: ClusterApi(configuration, interrupted) for name, configuration in configurations.items()}


def _configuration(rancher: Rancher | None, cluster: Cluster, key: str, token: str) -> client.Configuration:
    access = cluster.access
    if isinstance(access, KubeconfigAccess):
        return connection.from_kubeconfig(_read_kubeconfig(access.path), access.path.expanduser().parent)
    assert rancher is not None  # noqa: S101 - config requires it
    document = kubeconfigs.render_token_kubeconfig(
        name=cluster.name,
        server=kubeconfigs.rancher_server(rancher.url, _cluster_id(rancher, key, access, token)),
        ca_pem=rancher.ca_certs,
        token=token,
    )
    return connection.from_kubeconfig(document)


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
        raise KubeconfigError(f"{path} is not text") from None
    except OSError as error:
        raise KubeconfigError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise KubeconfigError(f"{path} {error}") from None
    return text
