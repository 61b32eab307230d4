"""
The proxy to a cluster's API server: `/k8s/clusters/<id>/...`, which always acts as the token's user.

It does not forward the client's credentials, which are for this server, or its impersonation headers. It streams
answers, so that watches work.
"""

import json
import logging
from collections.abc import AsyncIterator, Sequence

import httpx
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from lab.rancher import errors, impersonation
from lab.rancher.errors import ApiError
from lab.rancher.kube import KubeApi
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_OURS = frozenset({"authorization", "cookie", "host", "x-api-host"})
_LOG = logging.getLogger("rancher")
Headers = Sequence[tuple[str, str]]


def forwarded(headers: Headers) -> list[tuple[str, str]]:
    """Return the client's headers that are forwarded to the cluster: pure."""
    named = {name.strip().lower() for key, value in headers if key.lower() == "connection" for name in value.split(",")}
    return [
        (key, value)
        for key, value in headers
        if key.lower() not in _HOP_BY_HOP | _OURS | named and not key.lower().startswith("impersonate-")
    ]


def returned(headers: Headers) -> list[tuple[str, str]]:
    """Return the answer's headers that are forwarded to the client: pure."""
    return [(key, value) for key, value in headers if key.lower() not in _HOP_BY_HOP]


def find(rancher: Rancher, connection: HTTPConnection) -> tuple[KubeApi, str]:
    """
    Return the API and the name of the cluster in a path.

    Raises:
        ApiError: The user cannot see such a cluster.
    """
    who: Identity = connection.user
    cluster = connection.path_params["cluster"]
    api, document = rancher.apis.get(cluster), rancher.store.get(Kind.CLUSTER, cluster)
    if api is None or document is None:
        if rancher.rights.is_admin(who.user):
            raise errors.missing(Kind.CLUSTER, cluster)
        raise errors.forbidden(who.user, "get", Kind.CLUSTER, cluster)
    if not rancher.rights.sees(who.user, Kind.CLUSTER, document):
        raise errors.forbidden(who.user, "get", Kind.CLUSTER, cluster)
    return api, str(document["name"])


class Proxy:
    """The proxy to all clusters."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the clusters of `rancher`."""
        self._rancher = rancher

    async def endpoint(self, request: Request) -> Response:
        """Forward a request, and stream the answer back."""
        try:
            api, name = find(self._rancher, request)
        except ApiError as error:
            return _refusal(error)
        if "upgrade" in request.headers:
            return PlainTextResponse("the lab's test server for Rancher upgrades no HTTP connection to SPDY", 501)
        try:
            return await self._pass(request, api, request.user)
        except httpx.HTTPError as error:
            _LOG.warning("%s: %s", name, type(error).__name__)
            return PlainTextResponse(f"{name}: {type(error).__name__}", 502)

    async def _pass(self, request: Request, api: KubeApi, who: Identity) -> Response:
        host = request.headers.get("host", "")
        passed = forwarded(request.headers.items()) + list(impersonation.headers(who, host))
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        sent = api.client.build_request(
            request.method,
            # Unchanged, with its escapes.
            httpx.URL(str(api.client.base_url)).copy_with(raw_path=target(request)),
            headers=passed,
            content=_body(request) if has_body else None,
        )
        answer = await api.client.send(sent, stream=True)
        response = StreamingResponse(_chunks(answer), answer.status_code)
        response.raw_headers = [
            (key.lower().encode(), value.encode()) for key, value in returned(answer.headers.multi_items())
        ]
        return response


def target(connection: HTTPConnection) -> bytes:
    """Return path and query of the request to the cluster: pure."""
    raw: bytes = connection.scope["raw_path"]
    prefix = f"/k8s/clusters/{connection.path_params['cluster']}".encode()
    path = raw.removeprefix(prefix) or b"/"
    query: bytes = connection.scope["query_string"]
    return path + (b"?" + query if query else b"")


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        message = "the client has closed the connection"
        raise httpx.WriteError(message) from error


async def _chunks(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.HTTPError as error:
        # The status was sent already, so the answer can only end.
        _LOG.info("an answer ended early: %s", type(error).__name__)
        raise
    finally:
        await answer.aclose()


def _refusal(error: ApiError) -> Response:
    # Rancher's router does not use its API's form here: it writes the error as a Go value, with the type text.
    code: Document = {"Code": error.code, "Status": error.status}
    body = {"Code": code, "Message": error.message, "Cause": None, "FieldName": ""}
    return Response(json.dumps(body), error.status, media_type="text/plain")
