"""
Ways to break a mesh on purpose, each with the cause that `verify` must report and the steps of its remedy.

Each cause has three: another field manager takes over a field, a user deletes an object, and a user edits it.
They are only for the lab, because the broken clusters cannot serve users.
"""

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError
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
OTHER_MANAGER = "rancher"


class Hand(StrEnum):
    """Who or what breaks the mesh."""

    MANAGER = "another manager"
    DELETION = "deletion"
    EDIT = "edit"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One object of a cluster."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = names.ISTIO_NAMESPACE


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
        self._dynamic: Any = DynamicClient(self._api)  # type: ignore[no-untyped-call]

    def take_over(self, target: Target, fields: Mapping[str, Any]) -> None:
        """Change fields by a forced server-side apply of another field manager."""
        kind = self._dynamic.resources.get(api_version=target.api_version, kind=target.kind)
        metadata = {"name": target.name, "namespace": target.namespace, **fields.get("metadata", {})}
        body = {**fields, "apiVersion": target.api_version, "kind": target.kind, "metadata": metadata}
        kind.server_side_apply(
            body=body, name=target.name, namespace=target.namespace, field_manager=OTHER_MANAGER, force_conflicts=True
        )

    def edit(self, target: Target, fields: Mapping[str, Any], manager: str = "kubectl-edit") -> None:
        """Change fields as `kubectl edit` does, or another program that replaces an object."""
        kind = self._dynamic.resources.get(api_version=target.api_version, kind=target.kind)
        kind.patch(
            body=dict(fields),
            name=target.name,
            namespace=target.namespace,
            content_type="application/merge-patch+json",
            field_manager=manager,
        )

    def read(self, target: Target) -> Any:  # noqa: ANN401 - JSON data
        """Return an object."""
        kind = self._dynamic.resources.get(api_version=target.api_version, kind=target.kind)
        return kind.get(name=target.name, namespace=target.namespace).to_dict()

    def delete(self, target: Target) -> None:
        """Delete an object, and wait until it is gone."""
        kind = self._dynamic.resources.get(api_version=target.api_version, kind=target.kind)
        kind.delete(name=target.name, namespace=target.namespace)
        _until(lambda: self._is_gone(target))

    def _is_gone(self, target: Target) -> None:
        kind = self._dynamic.resources.get(api_version=target.api_version, kind=target.kind)
        try:
            kind.get(name=target.name, namespace=target.namespace)
        except NotFoundError:
            return
        raise _NotYetError(f"{target.kind} {target.name} is still there")

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
Act = Callable[[Clusters], None]


@dataclass(frozen=True, kw_only=True)
class Breakage:
    """
    A way to break a mesh on purpose.

    Attributes:
        hand: Who or what breaks the mesh.
        cause: The only cause that `verify` must report, with `cluster` and `peer`.
        breaks: Breaks the mesh.
        prepares: Takes the steps of the remedy before `up --refresh`.
        finishes: Takes the steps of the remedy after it.
    """

    hand: Hand
    cause: Cause
    cluster: str | None = None
    peer: str | None = None
    breaks: Act
    prepares: Act = lambda _: None
    finishes: Act = lambda _: None

    @property
    def name(self) -> str:
        """The name of the test."""
        return f"{self.cause.name} by {self.hand}".replace(" ", "-")


CACERTS = Target(api_version="v1", kind="Secret", name=names.CACERTS)
ISTIO_SYSTEM = Target(api_version="v1", kind="Namespace", name=names.ISTIO_NAMESPACE, namespace=None)
EASTWEST_SERVICE = Target(api_version="v1", kind="Service", name=names.EASTWEST_GATEWAY)
CROSS_NETWORK_GATEWAY = Target(api_version="networking.istio.io/v1", kind="Gateway", name=names.CROSS_NETWORK_GATEWAY)
SERVICE = Target(api_version="v1", kind="Service", name=names.HELLOWORLD, namespace=names.APP_NAMESPACE)
ROUTE = Target(
    api_version="networking.istio.io/v1",
    kind="VirtualService",
    name=names.HELLOWORLD_MESH,
    namespace=names.APP_NAMESPACE,
)
REMOTE_SECRET = Target(api_version="v1", kind="Secret", name=names.remote_secret("west"))
_OTHER_PORT = {"spec": {"ports": [{"name": "http", "port": 5001, "protocol": "TCP", "targetPort": 5000}]}}
NO_POD = {"spec": {"selector": {"app": "no-pod", "istio": "no-pod"}}}


def _foreign_root(act: Callable[[Cluster, Target, Mapping[str, Any]], None]) -> Act:
    """Sign the certificates of one cluster with a foreign root."""

    def breaks(clusters: Clusters) -> None:
        data = {key: _encode(pem) for key, pem in foreign_cacerts().items()}
        act(clusters["west"], CACERTS, {"data": data})
        clusters["west"].renew_trust(foreign_root_pem())

    return breaks


def _own_root(clusters: Clusters) -> None:
    # Without its Secret, istiod generates its own root.
    clusters["west"].delete(CACERTS)
    clusters["west"].restart(names.ISTIO_NAMESPACE, "app=istiod")
    clusters["west"].restart(names.ISTIO_NAMESPACE, "app!=istiod")
    clusters["west"].restart(names.APP_NAMESPACE)


def _renew(clusters: Clusters) -> None:
    root = clusters["west"].core.read_namespaced_secret(names.CACERTS, names.ISTIO_NAMESPACE).data["root-cert.pem"]
    clusters["west"].renew_trust(_decode(root))


def _label(value: str | None) -> Mapping[str, Any]:
    return {"metadata": {"labels": {names.NETWORK_LABEL: value}}}


def _turned_route(act: Callable[[Cluster, Target, Mapping[str, Any]], None]) -> Act:
    """Swap the weights in the route of one cluster's sidecars."""

    def breaks(clusters: Clusters) -> None:
        before = clusters["west"].read(ROUTE)["spec"]["http"]
        turned = [{**before[-1], "route": [{**part, "weight": 100 - part["weight"]} for part in before[-1]["route"]]}]
        act(clusters["west"], ROUTE, {"spec": {"http": [*before[:-1], *turned]}})

    return breaks


def _kubeconfig(
    act: Callable[[Cluster, Target, Mapping[str, Any]], None],
    change: Callable[[dict[str, Any]], None],
    *,
    restart_istiod: bool,
) -> Act:
    """
    Change the kubeconfig with which east reads west.

    Args:
        act: Changes the remote secret.
        change: Changes the kubeconfig in place.
        restart_istiod: Whether to restart istiod, which otherwise keeps the old connection until the new one syncs.
    """

    def breaks(clusters: Clusters) -> None:
        document = yaml.safe_load(_decode(clusters["east"].read(REMOTE_SECRET)["data"]["west"]))
        change(document)
        act(clusters["east"], REMOTE_SECRET, {"data": {"west": _encode(yaml.safe_dump(document))}})
        if restart_istiod:
            clusters["east"].restart(names.ISTIO_NAMESPACE, "app=istiod")

    return breaks


def _refuse_token(document: dict[str, Any]) -> None:
    document["users"][0]["user"]["token"] = "no-token-of-this-cluster"  # noqa: S105 - made to be refused


def _trust_another_ca(document: dict[str, Any]) -> None:
    document["clusters"][0]["cluster"]["certificate-authority-data"] = _encode(foreign_root_pem())


def _lead_nowhere(document: dict[str, Any]) -> None:
    document["clusters"][0]["cluster"]["server"] = _NOBODY


def _delete_the_readers_token(clusters: Clusters) -> None:
    secrets = clusters["west"].core.list_namespaced_secret(names.ISTIO_NAMESPACE).items
    (token,) = [each.metadata.name for each in secrets if each.metadata.name.startswith(f"{names.reader('east')}-")]
    clusters["west"].delete(Target(api_version="v1", kind="Secret", name=token))
    clusters["east"].restart(names.ISTIO_NAMESPACE, "app=istiod")


def _restart_reader(clusters: Clusters) -> None:
    clusters["east"].restart(names.ISTIO_NAMESPACE, "app=istiod")


BREAKAGES = (
    Breakage(
        hand=Hand.MANAGER,
        cause=ROOTS_DIFFER,
        breaks=_foreign_root(Cluster.take_over),
        finishes=_renew,
    ),
    Breakage(hand=Hand.DELETION, cause=ROOTS_DIFFER, breaks=_own_root, finishes=_renew),
    Breakage(hand=Hand.EDIT, cause=ROOTS_DIFFER, breaks=_foreign_root(Cluster.edit), finishes=_renew),
    Breakage(
        hand=Hand.EDIT,
        cause=NETWORK_LABEL_MISSING,
        cluster="west",
        breaks=lambda clusters: clusters["west"].edit(EASTWEST_SERVICE, _label("network-of-nobody")),
    ),
    Breakage(
        hand=Hand.MANAGER,
        cause=NETWORK_LABEL_MISSING,
        cluster="west",
        breaks=lambda clusters: clusters["west"].take_over(ISTIO_SYSTEM, _label("network-of-nobody")),
    ),
    Breakage(
        hand=Hand.DELETION,
        cause=NETWORK_LABEL_MISSING,
        cluster="west",
        breaks=lambda clusters: clusters["west"].edit(EASTWEST_SERVICE, _label(None)),
    ),
    Breakage(
        hand=Hand.DELETION,
        cause=SERVICE_ABSENT,
        cluster="west",
        breaks=lambda clusters: clusters["west"].delete(SERVICE),
    ),
    Breakage(
        hand=Hand.MANAGER,
        cause=SERVICE_ABSENT,
        cluster="west",
        # An apply would add a second port of the same name. Kubernetes refuses that, later from the stack too.
        breaks=lambda clusters: clusters["west"].edit(SERVICE, _OTHER_PORT, OTHER_MANAGER),
        prepares=lambda clusters: clusters["west"].delete(SERVICE),
    ),
    Breakage(
        hand=Hand.EDIT,
        cause=SERVICE_ABSENT,
        cluster="west",
        breaks=lambda clusters: clusters["west"].edit(SERVICE, _OTHER_PORT),
    ),
    Breakage(hand=Hand.MANAGER, cause=CLUSTERS_DIFFER, breaks=_turned_route(Cluster.take_over)),
    Breakage(hand=Hand.EDIT, cause=CLUSTERS_DIFFER, breaks=_turned_route(Cluster.edit)),
    Breakage(hand=Hand.DELETION, cause=CLUSTERS_DIFFER, breaks=lambda clusters: clusters["west"].delete(ROUTE)),
    Breakage(
        hand=Hand.EDIT,
        cause=CREDENTIAL_WRONG,
        cluster="east",
        peer="west",
        breaks=_kubeconfig(Cluster.edit, _trust_another_ca, restart_istiod=False),
        finishes=_restart_reader,
    ),
    Breakage(
        hand=Hand.MANAGER,
        cause=CREDENTIAL_WRONG,
        cluster="east",
        peer="west",
        breaks=_kubeconfig(Cluster.take_over, _refuse_token, restart_istiod=True),
        finishes=_restart_reader,
    ),
    Breakage(
        hand=Hand.DELETION,
        cause=CREDENTIAL_WRONG,
        cluster="east",
        peer="west",
        breaks=_delete_the_readers_token,
        finishes=_restart_reader,
    ),
    Breakage(
        hand=Hand.DELETION,
        cause=REMOTE_NOT_SYNCED,
        cluster="east",
        peer="west",
        breaks=lambda clusters: clusters["east"].delete(REMOTE_SECRET),
    ),
    Breakage(
        hand=Hand.MANAGER,
        cause=REMOTE_NOT_SYNCED,
        cluster="east",
        peer="west",
        breaks=_kubeconfig(Cluster.take_over, _lead_nowhere, restart_istiod=True),
        finishes=_restart_reader,
    ),
    Breakage(
        hand=Hand.EDIT,
        cause=REMOTE_NOT_SYNCED,
        cluster="east",
        peer="west",
        breaks=lambda clusters: clusters["east"].edit(
            REMOTE_SECRET, {"metadata": {"labels": {names.MULTICLUSTER_LABEL: None}}}
        ),
    ),
    Breakage(
        hand=Hand.MANAGER,
        cause=GATEWAY_UNREACHABLE,
        cluster="west",
        breaks=lambda clusters: clusters["west"].take_over(EASTWEST_SERVICE, NO_POD),
    ),
    Breakage(
        hand=Hand.EDIT,
        cause=GATEWAY_UNREACHABLE,
        cluster="west",
        breaks=lambda clusters: clusters["west"].edit(EASTWEST_SERVICE, NO_POD),
    ),
    Breakage(
        hand=Hand.DELETION,
        cause=GATEWAY_UNREACHABLE,
        cluster="west",
        breaks=lambda clusters: clusters["west"].delete(CROSS_NETWORK_GATEWAY),
    ),
)
"""Three ways for each of the seven causes, for clusters named east and west; the first of each runs in CI."""


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
