"""A double of one cluster's API server: it stores objects, merges patches, selects by label, and streams watches."""

import asyncio
import copy
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

Object = dict[str, Any]
NAMESPACES = "/api/v1/namespaces"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
METHODS = ["DELETE", "GET", "PATCH", "POST", "PUT"]


class KubeDouble:
    """
    The API of one cluster.

    Attributes:
            objects: The stored objects, by path.
            seen: The method, path and headers of each request.
            queries: The unchanged query of each request.
            events: The events of a watch; None ends it. Only the event loop of the watch may use it; see `say`.
            ended: Set when a watch ends.
            refuses: The status of every answer except those of watches; 0 to answer normally.
            forbidden: The users without any right.
            allows: The answer to access reviews.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.seen: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.bodies: list[bytes] = []
        self.queries: list[str] = []
        self.forbidden: set[str] = set()
        self.events: asyncio.Queue[Object | None] | None = None
        self.ended = threading.Event()
        self.refuses = 0
        self.allows = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching = threading.Event()
        self._count = 0
        self.app = Starlette(
            routes=[
                WebSocketRoute("/{path:path}/exec", self._execute),
                Route("/{path:path}", self._answer, methods=METHODS),
            ]
        )

    def add_namespace(self, name: str, annotations: dict[str, str] | None = None) -> Object:
        """Store a namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": annotations or {}}}
        return self._put(f"{NAMESPACES}/{name}", body)

    def namespace(self, name: str) -> Object:
        """Return a namespace's metadata."""
        metadata: Object = self.objects[f"{NAMESPACES}/{name}"]["metadata"]
        return metadata

    def under(self, path: str) -> list[Object]:
        """Return the objects of a collection, or those of all namespaces."""
        head, _, plural = path.rpartition("/")
        if head.endswith("/namespaces") or "/namespaces/" in head:
            return [it for key, it in self.objects.items() if key.rpartition("/")[0] == path]
        return [it for key, it in self.objects.items() if key.startswith(head) and key.split("/")[-2] == plural]

    def say(self, event: Object | None) -> None:
        """Send an event to the watch, from another thread than the watch's."""
        assert self._watching.wait(10)
        assert self._loop is not None
        assert self.events is not None
        self._loop.call_soon_threadsafe(self.events.put_nowait, event)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        self.seen.append((request.method, path, list(request.headers.items())))
        raw = await request.body()
        self.bodies.append(raw)
        self.queries.append(request.url.query)
        body: Object = json.loads(raw or b"{}")
        if request.query_params.get("watch") == "true":
            return StreamingResponse(self._stream(), media_type="application/json")
        is_forbidden = request.headers.get("impersonate-user") in self.forbidden
        if self.refuses or is_forbidden:
            return _status(403, "Forbidden", "no") if is_forbidden else _status(self.refuses, "Unavailable", "starting")
        if path == REVIEWS:
            return JSONResponse(body | {"status": {"allowed": self.allows}}, 201)
        if request.method == "POST":
            return self._create(path, body)
        if path in self.objects:
            return JSONResponse(self._change(request.method, path, body))
        return (
            self._list(path, request.query_params.get("labelSelector", ""))
            if request.method == "GET"
            else _missing(path)
        )

    async def _execute(self, socket: WebSocket) -> None:
        self.seen.append(("EXEC", socket.url.path, list(socket.headers.items())))
        self.queries.append(socket.url.query)
        await socket.accept(socket.scope["subprotocols"][0])
        await socket.send_bytes(b"\x01" + await socket.receive_bytes())
        await socket.close(1000, "done")

    def _change(self, method: str, path: str, body: Object) -> Object:
        if method == "DELETE":
            gone = self.objects[path]
            self.objects = {key: it for key, it in self.objects.items() if not f"{key}/".startswith(f"{path}/")}
            return gone
        if method == "GET":
            return self.objects[path]
        return self._put(path, _merge(self.objects[path], body) if method == "PATCH" else body)

    async def _stream(self) -> AsyncIterator[bytes]:
        assert self.events is not None
        self._loop = asyncio.get_running_loop()
        self._watching.set()
        try:
            while (event := await self.events.get()) is not None:
                yield json.dumps(event).encode() + b"\n"
        finally:
            self.ended.set()

    def _create(self, path: str, body: Object) -> Response:
        metadata = body["metadata"]
        if "name" not in metadata:
            metadata["name"] = f"{metadata['generateName']}x{self._count}"
        own = f"{path}/{metadata['name']}"
        if own in self.objects:
            return _status(409, "AlreadyExists", f'"{metadata["name"]}" already exists')
        if "/namespaces/" in path:
            metadata["namespace"] = path.partition("/namespaces/")[2].split("/")[0]
        return JSONResponse(self._put(own, body), 201)

    def _list(self, path: str, selector: str) -> Response:
        if not _is_collection(path):
            return _missing(path)
        key, _, value = selector.partition("=")
        found = [
            it
            for it in self.under(path)
            if not selector
            or (labels := it["metadata"].get("labels") or {}).get(key) == value
            or (not value and key in labels)
        ]
        items = [copy.deepcopy(it) for it in found]
        return JSONResponse({"kind": "List", "metadata": {"resourceVersion": str(self._count)}, "items": items})

    def _put(self, path: str, body: Object) -> Object:
        self._count += 1
        body["metadata"] |= {"resourceVersion": str(self._count)}
        body["metadata"].setdefault("uid", f"uid-{self._count}")
        self.objects[path] = body
        return body


def _is_collection(path: str) -> bool:
    parts = path.strip("/").split("/")
    inside = parts[2 if parts[0] == "api" else 3 :]
    return len(inside[2:] if len(inside) > 2 and inside[0] == "namespaces" else inside) == 1


def _merge(old: Object, patch: Object) -> Object:
    merged = dict(old)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged


def _missing(path: str) -> Response:
    return _status(404, "NotFound", f'"{path.rpartition("/")[2]}" not found')


def _status(code: int, reason: str, message: str) -> Response:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return JSONResponse(body, code)
