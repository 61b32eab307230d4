"""Serves an ASGI application on its own port, for tests that need a network: of TLS and streams."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from lab.machine import pki

LOOPBACK = "127.0.0.1"
_START_SECONDS = 10.0


def certify(folder: Path) -> None:
    """Write a CA and a certificate for the loopback address."""
    pki.ensure_server(folder, "rancher test", pki.Subject("tls", "rancher", addresses=(IPv4Address(LOOPBACK),)))


class Stage:
    """
    Serves its current application.

    The start and stop of a server take longer than most tests, so the tests of a file share one.
    """

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request to the current application."""
        await self.app(scope, receive, send)


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Yield a socket on a free port."""
    with socket.create_server((LOOPBACK, 0)) as sock:
        yield sock


@contextmanager
def served(app: ASGIApp, sock: socket.socket, tls: Path | None = None) -> Iterator[None]:
    """Serve `app` on a socket, over TLS with the keys in a folder."""
    config = uvicorn.Config(
        app,
        ssl_certfile=tls / "tls.crt" if tls else None,
        ssl_keyfile=tls / "tls.key" if tls else None,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        ws="websockets-sansio",
        ws_ping_interval=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server has terminated"
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
