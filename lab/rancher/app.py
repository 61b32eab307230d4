"""Composes the server: authentication, routes, and the controllers that run in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from lab.rancher import errors, seed
from lab.rancher.api import Api, is_open
from lab.rancher.config import ServerConfig
from lab.rancher.controllers import loop
from lab.rancher.errors import ApiError
from lab.rancher.kube import KubeApi
from lab.rancher.proxy import METHODS, Proxy
from lab.rancher.rights import Rights
from lab.rancher.sockets import Sockets
from lab.rancher.state import Rancher
from lab.rancher.store import Store
from lab.rancher.tokens import Tokens, read_credentials

_COOKIE = "R_SESS"
_LOG = logging.getLogger("rancher")


class _Backend(AuthenticationBackend):
    """Authenticates a request by its token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        path = conn.url.path
        if is_open(str(conn.scope.get("method")), path):
            return None
        credentials = read_credentials(conn.headers.get("authorization", ""), conn.cookies.get(_COOKIE, ""))
        who = self._tokens.authenticate(credentials, path)
        if who is None:
            raise AuthenticationError
        return AuthCredentials(["authenticated"]), who


def make(
    config: ServerConfig, apis: Mapping[str, KubeApi], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Rancher:
    """Return the state of a server with its initial documents."""
    store = Store(config.state_file)
    rancher = Rancher(config, store, Tokens(store, now), Rights(store), apis, now)
    seed.ensure(rancher)
    return rancher


def build(rancher: Rancher, *, with_controllers: bool = True) -> Starlette:
    """Return the ASGI application of a server."""
    proxy = Proxy(rancher)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        running = [asyncio.create_task(loop.run(rancher, it)) for it in rancher.config.clusters if with_controllers]
        for task in running:
            task.add_done_callback(_report)
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for api in rancher.apis.values():
            await api.client.aclose()

    return Starlette(
        routes=[
            *Api(rancher).routes(),
            WebSocketRoute("/k8s/clusters/{cluster}/{rest:path}", Sockets(rancher).endpoint),
            Route("/k8s/clusters/{cluster}", proxy.endpoint, methods=METHODS),
            Route("/k8s/clusters/{cluster}/{rest:path}", proxy.endpoint, methods=METHODS),
        ],
        middleware=[Middleware(AuthenticationMiddleware, backend=_Backend(rancher.tokens), on_error=_unauthenticated)],
        exception_handlers={ApiError: _refused, 404: _not_found},
        lifespan=lifespan,
    )


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        _LOG.error("the controllers of a cluster have terminated", exc_info=task.exception())


def _unauthenticated(_conn: HTTPConnection, _error: AuthenticationError) -> Response:
    return JSONResponse(errors.unauthenticated_body(), 401)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.body(), error.status)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return JSONResponse(ApiError(404, "NotFound", "not found").body(), 404)
