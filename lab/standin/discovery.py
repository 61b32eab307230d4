"""Discovers the kinds that a cluster serves, with two requests instead of one for each group."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from kubernetes.dynamic import Resource
from kubernetes.dynamic.exceptions import ResourceNotFoundError

if TYPE_CHECKING:
    from kubernetes.dynamic import DynamicClient

_AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Discovery:
    """A discoverer for `DynamicClient` that queries again if a kind is missing, and has no cache file."""

    def __init__(self, client: DynamicClient, _cache_file: str | None) -> None:
        self._client = client
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._lock = Lock()

    def get(self, *, api_version: str, kind: str) -> Resource:
        """
        Return the resource of a kind.

        Raises:
            ResourceNotFoundError: The cluster does not serve the kind, at least not yet.
        """
        key = (api_version, kind)
        with self._lock:
            if key not in self._kinds:
                self._kinds = self._fetch_all()
            try:
                return self._kinds[key]
            except KeyError:
                raise ResourceNotFoundError(f"{api_version} {kind}") from None

    def _fetch_all(self) -> dict[tuple[str, str], Resource]:
        return {
            (resource.group_version, resource.kind): resource
            for prefix in ("api", "apis")
            for group in self._fetch(f"/{prefix}")["items"]
            for version in group["versions"]
            for found in version.get("resources", ())
            if (resource := self._resource(prefix, group["metadata"].get("name", ""), version["version"], found))
        }

    def _fetch(self, path: str) -> dict[str, Any]:
        response = self._client.request(
            "get", path, header_params={"Accept": _AGGREGATED}, serialize=False, _request_timeout=(3, 30)
        )
        fetched: dict[str, Any] = json.loads(response.data)
        return fetched

    def _resource(self, prefix: str, group: str, version: str, found: dict[str, Any]) -> Resource | None:
        kind = found.get("responseKind", {}).get("kind")
        if not kind:
            return None
        return Resource(  # type: ignore[no-untyped-call]
            prefix=prefix,
            group=group,
            api_version=version,
            kind=kind,
            namespaced=found["scope"] == "Namespaced",
            verbs=found["verbs"],
            name=found["resource"],
            client=self._client,
        )
