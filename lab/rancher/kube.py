"""A client of one cluster's API server with administrator rights, for the controllers and the proxy."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx

from lab.rancher.config import ClusterConfig
from lab.rancher.errors import ApiError
from lab.rancher.store import Document

_SECONDS = 15.0
_MERGE_PATCH = "application/merge-patch+json"


class KubeApi:
    """The API of one cluster."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        headers: tuple[tuple[str, str], ...] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Use `client`, and add `headers` to each request; `tls` has the credentials for web sockets."""
        self.client = client
        self.tls = tls
        self._headers = headers

    def impersonating(self, headers: tuple[tuple[str, str], ...]) -> Self:
        """Return the same API as the user in these headers."""
        return type(self)(self.client, headers, self.tls)

    async def __aenter__(self) -> Self:
        """Return the API; its client connects at the first request."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def objects(self, path: str, selector: str = "") -> list[Document]:
        """Return all objects of a collection."""
        answer = await self._send("GET", path, params={"labelSelector": selector} if selector else None)
        return list(answer["items"])

    async def objects_and_version(self, path: str) -> tuple[list[Document], str]:
        """Return all objects of a collection, and the version from which a watch continues."""
        answer = await self._send("GET", path)
        return list(answer["items"]), str(answer["metadata"]["resourceVersion"])

    async def get(self, path: str) -> Document | None:
        """Return one object; None if it does not exist."""
        return await self._send_if_exists("GET", path)

    async def create(self, path: str, body: Document) -> Document:
        """Create an object, and return it."""
        return await self._send("POST", path, body)

    async def replace(self, path: str, body: Document) -> Document:
        """Replace an object, and return it."""
        return await self._send("PUT", path, body)

    async def patch(self, path: str, body: Document) -> Document:
        """Merge `body` into an object; a field with None is removed."""
        return await self._send("PATCH", path, body, content_type=_MERGE_PATCH)

    async def delete(self, path: str) -> Document | None:
        """Delete an object; a missing one is no error."""
        return await self._send_if_exists("DELETE", path)

    async def watch(self, path: str, version: str, seconds: int) -> AsyncIterator[Document]:
        """Yield the changes of a collection until the server ends the watch."""
        params = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        async with self.client.stream("GET", path, params=params) as answer:
            if answer.is_error:
                await answer.aread()
                raise _error(answer)
            async for line in answer.aiter_lines():
                yield json.loads(line)

    async def _send_if_exists(self, method: str, path: str) -> Document | None:
        try:
            return await self._send(method, path)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _send(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Document:
        answer = await self.client.request(
            method,
            path,
            content=None if body is None else json.dumps(body),
            params=params,
            headers=[("Content-Type", content_type), *self._headers],
            timeout=_SECONDS,
        )
        if answer.is_error:
            raise _error(answer)
        document: Document = answer.json()
        return document


def connect(cluster: ClusterConfig) -> KubeApi:
    """Return a client that trusts only the cluster's CA and uses the administrator's certificate."""
    context = ssl.create_default_context(cafile=cluster.ca_file)
    context.load_cert_chain(cluster.certificate_file, cluster.key_file)
    return KubeApi(
        httpx.AsyncClient(
            base_url=cluster.server,
            # Answers are forwarded unchanged, so they must not be compressed for a client that does not accept that.
            headers={"Accept-Encoding": "identity"},
            verify=context,
            # The clusters are on this machine, and a proxy from the environment cannot reach them.
            trust_env=False,
            # Each watch occupies a connection.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            timeout=httpx.Timeout(_SECONDS, read=None),
        ),
        tls=context,
    )


def _error(answer: httpx.Response) -> ApiError:
    try:
        status = answer.json()
    except ValueError:
        status = {}
    return ApiError(
        answer.status_code,
        str(status.get("reason") or "ServerError"),
        str(status.get("message") or answer.reason_phrase),
    )
