"""Applies a namespace's ResourceQuota and LimitRange, from its annotations and its project."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.rancher import names, quantities, quotas
from lab.rancher.controllers import namespaces
from lab.rancher.kube import KubeApi
from lab.rancher.quotas import Limit
from lab.rancher.state import Rancher
from lab.rancher.store import Document

_SELECTOR = f"{names.DEFAULT_QUOTA}=true"
# Rancher's order, so that a client that writes the same text sees no change.
_LIMITS = (
    "pods",
    "services",
    "replicationControllers",
    "secrets",
    "configMaps",
    "persistentVolumeClaims",
    "servicesNodePorts",
    "servicesLoadBalancers",
    "requestsCpu",
    "requestsMemory",
    "requestsStorage",
    "limitsCpu",
    "limitsMemory",
    "extended",
)
_CONTAINER = ("requestsCpu", "requestsMemory", "limitsCpu", "limitsMemory")


@dataclass(frozen=True)
class QuotaResult:
    """The annotations of a namespace after its quota was applied."""

    annotations: Mapping[str, str | None]
    message: str | None = None
    """Why the quota does not fit into the project's; empty if it fits, None if it was not checked."""


def read_quota(namespace: Document) -> Document | None:
    """Return the limit that a namespace requests: pure."""
    text = namespaces.annotations(namespace).get(names.RESOURCE_QUOTA)
    limit = json.loads(text).get("limit") if text else None
    return {key: it for key, it in limit.items() if it} if limit else None


def read_container(namespace: Document) -> Document | None:
    """Return the container defaults that a namespace requests: pure."""
    text = namespaces.annotations(namespace).get(names.CONTAINER_LIMIT)
    return json.loads(text) if text and text != "null" else None


def render_quota(limit: Limit) -> str:
    """Return the annotation: pure."""
    return _render({"limit": {key: limit[key] for key in _LIMITS if key in limit}})


def render_container(limit: Limit) -> str:
    """Return the annotation: pure."""
    return _render({key: limit[key] for key in _CONTAINER if limit.get(key)})


async def sync(
    rancher: Rancher, cluster: str, namespace: Document, project: Document | None, others: Iterable[Document]
) -> None:
    """Apply a namespace's ResourceQuota and LimitRange, and update its annotations."""
    api = rancher.apis[cluster]
    first = await _sync_quota(api, namespace, project, others)
    second = await _sync_limits(api, namespace, project)
    conditions = {namespaces.QUOTA_INIT: (True, ""), namespaces.ROLES_POPULATED: (True, "")}
    waiting = namespaces.conditions(namespace).get(namespaces.QUOTA_VALIDATED, {}).get("status") == "Unknown"
    if first.message is not None or waiting:
        conditions[namespaces.QUOTA_VALIDATED] = (not first.message, first.message or "")
    status = namespaces.with_condition(namespace, conditions, rancher.now())
    place = namespaces.project_of(namespace)
    new_annotations = {
        **first.annotations,
        **second,
        names.STATUS: status,
        names.NAMESPACE_AUTH: "true",
        names.QUOTA_PROJECT: place or None,
    }
    own = place.partition(":")[2]
    await namespaces.change(rancher, cluster, namespace, new_annotations, {names.PROJECT_ID: own} if own else {})


async def _sync_quota(
    api: KubeApi, namespace: Document, project: Document | None, others: Iterable[Document]
) -> QuotaResult:
    path = f"{namespaces.PATH}/{namespace['metadata']['name']}/resourcequotas"
    existing = next(iter(await api.objects(path, _SELECTOR)), None)
    has_quota = project is not None and project.get("resourceQuota")
    default = ((project or {}).get("namespaceDefaultResourceQuota") or {}).get("limit") if has_quota else None
    limit = quotas.complete(read_quota(namespace), default)
    if not limit or project is None:
        if existing is not None:
            await api.delete(f"{path}/{existing['metadata']['name']}")
            return QuotaResult({names.RESOURCE_QUOTA: None})
        return QuotaResult({})
    new_annotations = {names.RESOURCE_QUOTA: render_quota(limit)}
    hard = quotas.to_resources(limit)
    if existing is not None and quantities.same(existing["spec"].get("hard") or {}, hard):
        # An existing quota stays: a later namespace that requests too much takes nothing from it.
        return QuotaResult(new_annotations)
    fit = quotas.fit(limit, filter(None, map(read_quota, others)), project["resourceQuota"]["limit"])
    if existing is None:
        left = quotas.without(limit, {**fit.exceeded, **fit.negative})
        await api.create(path, _object("ResourceQuota", {"hard": left}))
    elif fit.is_good:
        await api.replace(f"{path}/{existing['metadata']['name']}", existing | {"spec": {"hard": hard}})
    texts = [f"Oversubscribed resource quota [{quantities.render(fit.exceeded)}]"] if fit.exceeded else []
    texts += [f"Negative resource quota [{quantities.render(fit.negative)}]"] if fit.negative else []
    return QuotaResult(new_annotations, "; ".join(texts))


async def _sync_limits(api: KubeApi, namespace: Document, project: Document | None) -> Mapping[str, str | None]:
    path = f"{namespaces.PATH}/{namespace['metadata']['name']}/limitranges"
    existing = next(iter(await api.objects(path, _SELECTOR)), None)
    limit = quotas.complete_container(read_container(namespace), (project or {}).get("containerDefaultResourceLimit"))
    spec = quotas.limit_range_spec(limit) if limit else None
    if limit is None or spec is None:
        if existing is not None:
            await api.delete(f"{path}/{existing['metadata']['name']}")
            return {names.CONTAINER_LIMIT: None}
        return {}
    if existing is None:
        await api.create(path, _object("LimitRange", spec))
    elif _differs(existing["spec"].get("limits") or [], spec["limits"]):
        await api.replace(f"{path}/{existing['metadata']['name']}", existing | {"spec": spec})
    else:
        # Rancher writes the annotation only with the object.
        return {}
    return {names.CONTAINER_LIMIT: render_container(limit)}


def _differs(existing: list[Document], desired: list[Document]) -> bool:
    if len(existing) != len(desired):
        return True
    return not all(
        quantities.same(existing[0].get(part) or {}, desired[0].get(part) or {})
        for part in ("default", "defaultRequest")
    )


def _object(kind: str, spec: Document) -> Document:
    metadata = {"generateName": "default-", "labels": {names.DEFAULT_QUOTA: "true"}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}


def _render(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
