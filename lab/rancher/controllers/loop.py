"""Reconciles one cluster with its projects: after every change of a namespace or the store, and periodically."""

import asyncio
import logging
from contextlib import suppress

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from lab.rancher import names, quantities, quotas
from lab.rancher.config import ClusterConfig
from lab.rancher.controllers import access, isolation, namespaces, quota
from lab.rancher.errors import ApiError
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind

RESYNC_SECONDS = 10.0
_WATCH_SECONDS = 300
_LOG = logging.getLogger("rancher")


async def run(rancher: Rancher, cluster: ClusterConfig) -> None:
    """Reconcile until cancelled; retry while the cluster is unreachable."""
    wake = asyncio.Event()
    rancher.store.on_change(wake.set)
    async with asyncio.TaskGroup() as group:
        group.create_task(_follow(rancher, cluster, wake))
        while True:
            wake.clear()
            try:
                await reconcile(rancher, cluster)
            except (httpx.HTTPError, ApiError) as error:
                _LOG.warning("%s: %s; retrying", cluster.name, _brief(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), RESYNC_SECONDS)


async def reconcile(rancher: Rancher, cluster: ClusterConfig) -> None:
    """Reconcile the whole cluster once."""
    api = rancher.apis[cluster.id]
    found = [it for it in await api.objects(namespaces.PATH) if not namespaces.is_going(it)]
    await namespaces.adopt(rancher, cluster.id, found)
    projects = {it["id"]: it for it in rancher.store.all(Kind.PROJECT) if it["clusterId"] == cluster.id}
    for namespace in found:
        place = namespaces.project_of(namespace)
        others = [it for it in found if namespaces.project_of(it) == place and it is not namespace]
        try:
            await quota.sync(rancher, cluster.id, namespace, projects.get(place), others)
        except (ApiError, ValueError) as error:
            # A namespace that is deleted meanwhile or has invalid annotations must not block the others.
            _LOG.warning("%s/%s: %s", cluster.name, namespace["metadata"]["name"], _brief(error))
    _update_usage(rancher, projects, found)
    await access.sync(api, rancher.store, cluster.id, found)
    system = next((it for it in projects.values() if it["labels"].get(names.SYSTEM_PROJECT)), None)
    if cluster.enable_network_policy and system:
        await isolation.sync(api, found, system["id"].partition(":")[2], cluster.pod_cidr)
    else:
        await isolation.remove(api)


def _update_usage(rancher: Rancher, projects: dict[str, Document], found: list[Document]) -> None:
    for project in projects.values():
        if not project.get("resourceQuota"):
            continue
        members = [it for it in found if namespaces.project_of(it) == project["id"]]
        valid = [
            it
            for it in members
            if namespaces.conditions(it).get(namespaces.QUOTA_VALIDATED, {}).get("status") == "True"
        ]
        limits = [quotas.to_resources(limit) for it in valid if (limit := quota.read_quota(it))]
        used = quotas.to_limit(quantities.add(limits))
        current = rancher.store.get(Kind.PROJECT, project["id"])
        if current and current.get("resourceQuota"):
            current["resourceQuota"]["usedLimit"] = used
            rancher.store.put(Kind.PROJECT, current)


async def _follow(rancher: Rancher, cluster: ClusterConfig, wake: asyncio.Event) -> None:
    api = rancher.apis[cluster.id]
    retrying = AsyncRetrying(
        # The API server may restart, and its watches expire.
        retry=retry_if_exception_type((httpx.HTTPError, ApiError)),
        wait=wait_exponential(multiplier=0.5, max=2),
        before_sleep=_log_retry,
    )
    while True:
        async for attempt in retrying:
            with attempt:
                _, version = await api.objects_and_version(namespaces.PATH)
                wake.set()
                async for _ in api.watch(namespaces.PATH, version, _WATCH_SECONDS):
                    wake.set()


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _LOG.warning("watch: %s; retrying", type(error).__name__)


def _brief(error: Exception) -> str:
    return error.message if isinstance(error, ApiError) else type(error).__name__
