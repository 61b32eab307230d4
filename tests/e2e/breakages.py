"""
Ways to break a mesh on purpose, each with the cause that `verify` must report, and each repaired at its end.

Only for the lab, because the broken clusters cannot serve users.
"""

import base64
import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mesh import names
from ops.verify.check import Cause
from ops.verify.checks.consistency import CLUSTERS_DIFFER
from ops.verify.checks.gateway_reachable import GATEWAY_UNREACHABLE
from ops.verify.checks.mesh_root import ROOTS_DIFFER
from ops.verify.checks.network_label import NETWORK_LABEL_MISSING
from ops.verify.checks.service_present import SERVICE_ABSENT
from ops.verify.links import CREDENTIAL_WRONG, REMOTE_NOT_SYNCED
from tests.e2e.foreign_ca import foreign_cacerts, foreign_root_pem

_ROOT_CONFIG_MAP = "istio-ca-root-cert"
_NOBODY = "https://198.18.0.250:6443"
_SERVER_SET = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")


class Cluster:
    """One cluster of the lab, with the changes that break and repair it."""

    def __init__(self, kubeconfig: str) -> None:
        self._api = config.new_client_from_config(  # type: ignore[no-untyped-call]
            kubeconfig, persist_config=False
        )
        # Any, because the generated models declare every field as optional, even those that always exist.
        self.core: Any = client.CoreV1Api(self._api)
        self.apps: Any = client.AppsV1Api(self._api)
        self.custom: Any = client.CustomObjectsApi(self._api)

    def plain(self, found: object) -> dict[str, Any]:
        """Return an object in the form that recreates it."""
        manifest: dict[str, Any] = self._api.sanitize_for_serialization(found)
        manifest.pop("status", None)
        for key in _SERVER_SET:
            manifest["metadata"].pop(key, None)
        return manifest

    def set_data(self, name: str, data: Mapping[str, str]) -> None:
        """Change base64 values of a Secret in istio-system."""
        self.core.patch_namespaced_secret(name, names.ISTIO_NAMESPACE, {"data": dict(data)})

    def set_network_label(self, value: str | None) -> None:
        """Set the network label of istio-system and helloworld's pods, or remove it."""
        body = {"metadata": {"labels": {names.NETWORK_LABEL: value}}}
        self.core.patch_namespace(names.ISTIO_NAMESPACE, body)
        # The injector labels pods as well, by its own config, and their label has priority over the namespace's.
        for pod in self.core.list_namespaced_pod(names.APP_NAMESPACE, label_selector=f"app={names.HELLOWORLD}").items:
            self.core.patch_namespaced_pod(pod.metadata.name, names.APP_NAMESPACE, body)

    def patch_gateway_service(self, patch: Mapping[str, Any]) -> None:
        """Change the east-west gateway's Service."""
        self.core.patch_namespaced_service(names.EASTWEST_GATEWAY, names.ISTIO_NAMESPACE, dict(patch))

    def scale(self, deployment: str, replicas: int) -> None:
        """Scale a Deployment of istio-system, and wait until that is complete."""
        self.apps.patch_namespaced_deployment_scale(deployment, names.ISTIO_NAMESPACE, {"spec": {"replicas": replicas}})
        _until(lambda: self._settled(names.ISTIO_NAMESPACE))

    def restart(self, namespace: str, selector: str = "") -> None:
        """Delete pods, which does not change a Deployment, and wait for the new ones."""
        before = {pod.metadata.uid for pod in self.core.list_namespaced_pod(namespace, label_selector=selector).items}
        self.core.delete_collection_namespaced_pod(namespace, label_selector=selector, grace_period_seconds=0)
        _until(lambda: self._settled(namespace, before))

    def renew_trust(self, root_pem: str) -> None:
        """Restart istiod to read its `cacerts`, and all workloads to get new certificates."""
        self.renew_istiod(root_pem)
        self.restart(names.ISTIO_NAMESPACE, "app!=istiod")
        self.restart(names.APP_NAMESPACE)

    def renew_istiod(self, root_pem: str) -> None:
        """Restart only istiod to read its `cacerts`."""
        self.restart(names.ISTIO_NAMESPACE, "app=istiod")
        _until(lambda: self._trusts(root_pem))

    def _settled(self, namespace: str, gone: Collection[str] = ()) -> None:
        """Check the pods themselves, because a Deployment's status lags behind them."""
        for deployment in self.apps.list_namespaced_deployment(namespace).items:
            selector = ",".join(f"{key}={value}" for key, value in deployment.spec.selector.match_labels.items())
            pods = self.core.list_namespaced_pod(namespace, label_selector=selector).items
            ready = [pod for pod in pods if pod.metadata.uid not in gone and _is_ready(pod)]
            if not deployment.spec.replicas == len(ready) == len(pods):
                wanted = deployment.spec.replicas
                raise _NotYetError(f"{deployment.metadata.name}: {len(ready)} of {wanted} ready, {len(pods)} pods")

    def _trusts(self, root_pem: str) -> None:
        for namespace in (names.ISTIO_NAMESPACE, names.APP_NAMESPACE):
            found = self.core.read_namespaced_config_map(_ROOT_CONFIG_MAP, namespace)
            if found.data["root-cert.pem"].strip() != root_pem.strip():
                raise _NotYetError(f"{namespace}/{_ROOT_CONFIG_MAP} holds another root")


Clusters = Mapping[str, Cluster]
Break = Callable[[Clusters], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Breakage:
    """
    A way to break a mesh on purpose.

    Attributes:
        cause: The only cause that `verify` must report, with `cluster` and `peer`.
    """

    name: str
    cause: Cause
    cluster: str | None = None
    peer: str | None = None
    breaks: Break


@contextlib.contextmanager
def foreign_root(cluster: Cluster, renew: Callable[[Cluster, str], None]) -> Iterator[None]:
    """
    Sign one cluster's certificates with a foreign root.

    Args:
        cluster: The cluster to break.
        renew: Restarts the workloads that must use this root.
    """
    secret = cluster.core.read_namespaced_secret(names.CACERTS, names.ISTIO_NAMESPACE)
    before: dict[str, str] = dict(secret.data)
    try:
        cluster.set_data(names.CACERTS, {key: _encode(pem) for key, pem in foreign_cacerts().items()})
        renew(cluster, foreign_root_pem())
        yield
    finally:
        cluster.set_data(names.CACERTS, before)
        cluster.renew_trust(_decode(before["root-cert.pem"]))


@contextlib.contextmanager
def gateway_down(cluster: Cluster) -> Iterator[None]:
    """Scale the east-west gateway to no pod; its Service keeps the address."""
    deployment = cluster.apps.read_namespaced_deployment(names.EASTWEST_GATEWAY, names.ISTIO_NAMESPACE)
    try:
        cluster.scale(names.EASTWEST_GATEWAY, 0)
        yield
    finally:
        cluster.scale(names.EASTWEST_GATEWAY, deployment.spec.replicas)


@contextlib.contextmanager
def gateway_deselected(cluster: Cluster) -> Iterator[None]:
    """
    Make the east-west Service select no pod; pod and address stay.

    Another target port would break nothing, because istiod makes the gateway listen on the Service's target port.
    """
    service = cluster.core.read_namespaced_service(names.EASTWEST_GATEWAY, names.ISTIO_NAMESPACE)
    try:
        cluster.patch_gateway_service({"spec": {"selector": dict.fromkeys(service.spec.selector, "no-pod")}})
        yield
    finally:
        cluster.patch_gateway_service({"spec": {"selector": service.spec.selector}})


@contextlib.contextmanager
def cross_network_gateway_deleted(cluster: Cluster) -> Iterator[None]:
    """Delete the Gateway with which the east-west gateway listens for other networks."""
    kind = ("networking.istio.io", "v1", names.ISTIO_NAMESPACE, "gateways")
    manifest = cluster.plain(cluster.custom.get_namespaced_custom_object(*kind, names.CROSS_NETWORK_GATEWAY))
    try:
        cluster.custom.delete_namespaced_custom_object(*kind, names.CROSS_NETWORK_GATEWAY)
        yield
    finally:
        cluster.custom.create_namespaced_custom_object(*kind, manifest)


@contextlib.contextmanager
def gateway_label_removed(cluster: Cluster) -> Iterator[None]:
    """Remove the network label of the east-west Service, with which istiod identifies its gateway."""
    service = cluster.core.read_namespaced_service(names.EASTWEST_GATEWAY, names.ISTIO_NAMESPACE)
    labels = {names.NETWORK_LABEL: service.metadata.labels[names.NETWORK_LABEL]}
    try:
        cluster.patch_gateway_service({"metadata": {"labels": dict.fromkeys(labels)}})
        yield
    finally:
        cluster.patch_gateway_service({"metadata": {"labels": labels}})


@contextlib.contextmanager
def network_label_removed(cluster: Cluster) -> Iterator[None]:
    """Remove the network label; istiod watches it, so nothing restarts."""
    namespace = cluster.core.read_namespace(names.ISTIO_NAMESPACE)
    try:
        cluster.set_network_label(None)
        yield
    finally:
        cluster.set_network_label(namespace.metadata.labels[names.NETWORK_LABEL])


@contextlib.contextmanager
def remote_secret_deleted(cluster: Cluster, peer: str) -> Iterator[None]:
    """Delete the remote secret with which a cluster reads a peer."""
    name, namespace = names.remote_secret(peer), names.ISTIO_NAMESPACE
    manifest = cluster.plain(cluster.core.read_namespaced_secret(name, namespace))
    try:
        cluster.core.delete_namespaced_secret(name, namespace)
        yield
    finally:
        cluster.core.create_namespaced_secret(namespace, manifest)


@contextlib.contextmanager
def service_deleted(cluster: Cluster) -> Iterator[None]:
    """Delete helloworld's Service, and keep its pods."""
    name, namespace = names.HELLOWORLD, names.APP_NAMESPACE
    manifest = cluster.plain(cluster.core.read_namespaced_service(name, namespace))
    try:
        cluster.core.delete_namespaced_service(name, namespace)
        yield
    finally:
        cluster.core.create_namespaced_service(namespace, manifest)


@contextlib.contextmanager
def weight_changed(cluster: Cluster) -> Iterator[None]:
    """Change the weights of one cluster's sidecars."""
    kind = ("networking.istio.io", "v1", names.APP_NAMESPACE, "virtualservices", names.HELLOWORLD_MESH)
    before = cluster.custom.get_namespaced_custom_object(*kind)["spec"]["http"]
    turned = [{**before[-1], "route": [{**part, "weight": 100 - part["weight"]} for part in before[-1]["route"]]}]
    try:
        cluster.custom.patch_namespaced_custom_object(*kind, {"spec": {"http": [*before[:-1], *turned]}})
        yield
    finally:
        cluster.custom.patch_namespaced_custom_object(*kind, {"spec": {"http": before}})


@contextlib.contextmanager
def remote_kubeconfig_changed(
    cluster: Cluster, peer: str, change: Callable[[dict[str, Any]], None], *, restart_istiod: bool
) -> Iterator[None]:
    """
    Change the kubeconfig with which a cluster reads a peer.

    Args:
        cluster: The cluster with the remote secret.
        peer: The cluster that it reads.
        change: Changes the kubeconfig in place.
        restart_istiod: A running istiod keeps the old connection until the new one has synced.
    """
    name = names.remote_secret(peer)
    before: str = cluster.core.read_namespaced_secret(name, names.ISTIO_NAMESPACE).data[peer]
    document = yaml.safe_load(_decode(before))
    change(document)
    try:
        cluster.set_data(name, {peer: _encode(yaml.safe_dump(document))})
        if restart_istiod:
            cluster.restart(names.ISTIO_NAMESPACE, "app=istiod")
        yield
    finally:
        cluster.set_data(name, {peer: before})
        if restart_istiod:
            cluster.restart(names.ISTIO_NAMESPACE, "app=istiod")


def _refuse_token(document: dict[str, Any]) -> None:
    document["users"][0]["user"]["token"] = "no-token-of-this-cluster"  # noqa: S105 - made to be refused


def _trust_another_ca(document: dict[str, Any]) -> None:
    document["clusters"][0]["cluster"]["certificate-authority-data"] = _encode(foreign_root_pem())


def _lead_nowhere(document: dict[str, Any]) -> None:
    document["clusters"][0]["cluster"]["server"] = _NOBODY


BREAKAGES = (
    Breakage(
        name="foreign root",
        cause=ROOTS_DIFFER,
        breaks=lambda clusters: foreign_root(clusters["west"], Cluster.renew_trust),
    ),
    Breakage(
        name="foreign root that only istiod reads",
        cause=ROOTS_DIFFER,
        breaks=lambda clusters: foreign_root(clusters["west"], Cluster.renew_istiod),
    ),
    Breakage(
        name="gateway scaled to nothing",
        cause=GATEWAY_UNREACHABLE,
        cluster="west",
        breaks=lambda clusters: gateway_down(clusters["west"]),
    ),
    Breakage(
        name="gateway that its Service does not select",
        cause=GATEWAY_UNREACHABLE,
        cluster="west",
        breaks=lambda clusters: gateway_deselected(clusters["west"]),
    ),
    Breakage(
        name="cross-network Gateway deleted",
        cause=GATEWAY_UNREACHABLE,
        cluster="west",
        breaks=lambda clusters: cross_network_gateway_deleted(clusters["west"]),
    ),
    Breakage(
        name="network label removed",
        cause=NETWORK_LABEL_MISSING,
        cluster="west",
        breaks=lambda clusters: network_label_removed(clusters["west"]),
    ),
    Breakage(
        name="network label removed from the gateway",
        cause=NETWORK_LABEL_MISSING,
        cluster="west",
        breaks=lambda clusters: gateway_label_removed(clusters["west"]),
    ),
    Breakage(
        name="remote secret deleted",
        cause=REMOTE_NOT_SYNCED,
        cluster="east",
        peer="west",
        breaks=lambda clusters: remote_secret_deleted(clusters["east"], "west"),
    ),
    Breakage(
        name="remote secret leads nowhere",
        cause=REMOTE_NOT_SYNCED,
        cluster="east",
        peer="west",
        breaks=lambda clusters: remote_kubeconfig_changed(clusters["east"], "west", _lead_nowhere, restart_istiod=True),
    ),
    Breakage(
        name="Service deleted",
        cause=SERVICE_ABSENT,
        cluster="west",
        breaks=lambda clusters: service_deleted(clusters["west"]),
    ),
    Breakage(
        name="weight changed by hand",
        cause=CLUSTERS_DIFFER,
        breaks=lambda clusters: weight_changed(clusters["west"]),
    ),
    Breakage(
        name="token refused",
        cause=CREDENTIAL_WRONG,
        cluster="east",
        peer="west",
        breaks=lambda clusters: remote_kubeconfig_changed(clusters["east"], "west", _refuse_token, restart_istiod=True),
    ),
    Breakage(
        name="CA of another",
        cause=CREDENTIAL_WRONG,
        cluster="east",
        peer="west",
        breaks=lambda clusters: remote_kubeconfig_changed(
            clusters["east"], "west", _trust_another_ca, restart_istiod=False
        ),
    ),
)
"""At least one way for each of the seven causes; for clusters named east and west."""


class _NotYetError(Exception):
    """The awaited condition does not hold yet."""


def _until(check: Callable[[], None], seconds: float = 180) -> None:
    """Wait until a check no longer raises `_NotYetError`; after the timeout, raise the last error."""
    for attempt in Retrying(
        retry=retry_if_exception_type((_NotYetError, ApiException)),
        stop=stop_after_delay(seconds),
        wait=wait_fixed(0.5),
        reraise=True,
    ):
        with attempt:
            check()


def _is_ready(pod: Any) -> bool:  # noqa: ANN401 - a generated model
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions or ())


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(data: str) -> str:
    return base64.b64decode(data).decode()
