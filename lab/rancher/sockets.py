"""
The web sockets of the proxy, with which clients run commands in containers.

It supports only the web socket protocol of current Kubernetes clients, and refuses SPDY by name.
"""

import asyncio
import logging

import httpx
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from lab.rancher import impersonation, proxy
from lab.rancher.errors import ApiError
from lab.rancher.kube import KubeApi
from lab.rancher.state import Rancher
from lab.rancher.tokens import Identity

_LOG = logging.getLogger("rancher")


class Sockets:
    """The web sockets to all clusters."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the clusters of `rancher`."""
        self._rancher = rancher

    async def endpoint(self, socket: WebSocket) -> None:
        """Connect a client's web socket to one of the cluster."""
        try:
            api, name = proxy.find(self._rancher, socket)
        except ApiError as error:
            await socket.send_denial_response(PlainTextResponse(error.message, error.status))
            return
        try:
            async with _connect(socket, api) as upstream:
                await socket.accept(upstream.subprotocol)
                await _join(socket, upstream)
        except InvalidStatus as error:
            answer = error.response
            body = bytes(answer.body or b"")
            await socket.send_denial_response(PlainTextResponse(body, answer.status_code))
        except OSError as error:
            _LOG.warning("%s: %s", name, type(error).__name__)
            await socket.send_denial_response(PlainTextResponse(f"{name}: {type(error).__name__}", 502))


def _connect(socket: WebSocket, api: KubeApi) -> connect:
    who: Identity = socket.user
    url = httpx.URL(str(api.client.base_url)).copy_with(raw_path=proxy.target(socket))
    own = [it for it in proxy.forwarded(socket.headers.items()) if not it[0].lower().startswith("sec-websocket-")]
    return connect(
        str(url.copy_with(scheme="wss" if api.tls else "ws")),
        ssl=api.tls,
        subprotocols=[Subprotocol(it) for it in socket.scope["subprotocols"]],
        additional_headers=[*own, *impersonation.headers(who, socket.headers.get("host", ""))],
        user_agent_header=None,
        compression=None,
        proxy=None,
        max_size=None,
        # A command without output for a long time is no lost connection.
        ping_interval=None,
    )


async def _join(socket: WebSocket, upstream: ClientConnection) -> None:
    ways = [asyncio.create_task(_to_cluster(socket, upstream)), asyncio.create_task(_to_client(socket, upstream))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _to_cluster(socket: WebSocket, upstream: ClientConnection) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        data: str | bytes | None = message.get("bytes")
        await upstream.send(message["text"] if data is None else data)


async def _to_client(socket: WebSocket, upstream: ClientConnection) -> None:
    try:
        async for data in upstream:
            if isinstance(data, str):
                await socket.send_text(data)
            else:
                await socket.send_bytes(data)
        await socket.close(upstream.close_code or 1000, upstream.close_reason)
    except (ConnectionClosed, WebSocketDisconnect):
        # One side has closed, so close the other.
        return
