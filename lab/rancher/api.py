"""The v3 API: maps paths to resources, calls them, and renders the answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.rancher import representation, schemas
from lab.rancher.errors import ApiError
from lab.rancher.representation import Site
from lab.rancher.resources import users
from lab.rancher.resources.base import Resources
from lab.rancher.resources.catalogue import of_management
from lab.rancher.resources.namespaces import Namespaces
from lab.rancher.resources.tokens import SECRET
from lab.rancher.schemas import Context, Type
from lab.rancher.state import Rancher
from lab.rancher.store import Document
from lab.rancher.tokens import Identity

_METHODS = ["DELETE", "GET", "POST", "PUT"]
_NO_FILTERS = frozenset({"limit", "marker", "order", "sort", "action", "_replace"})
_OPEN = frozenset({("GET", "/ping"), ("GET", "/healthz"), ("GET", "/v3/settings/cacerts")})
_OPEN_PREFIXES = ("/v1-public/", "/v3-public/")


def is_open(method: str, path: str) -> bool:
    """Return whether this request needs no token: pure."""
    return (method, path) in _OPEN or path.startswith(_OPEN_PREFIXES)


@dataclass(frozen=True)
class Target:
    """The resources and the site that a request addresses."""

    resources: Resources
    site: Site
    name: str


class Api:
    """The v3 API of one server."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the resources of `rancher`."""
        self._rancher = rancher
        self._management = of_management(rancher)

    def routes(self) -> list[Route]:
        """Return the routes of the API."""
        return [
            Route("/ping", _ping),
            Route("/healthz", _healthy),
            Route("/v1-public/login", self.login, methods=["POST"]),
            Route("/v3-public/localProviders/local", self.login_by_action, methods=["POST"]),
            Route("/v3", self.index),
            Route("/v3/", self.index),
            Route("/v3/schemas", self.schemas),
            Route("/v3/schemas/{name}", self.schema),
            *self._cluster_routes("/v3/cluster/{cluster}"),
            *self._cluster_routes("/v3/clusters/{cluster}"),
            Route("/v3/{type}", self.collection, methods=_METHODS),
            Route("/v3/{type}/{name}", self.resource, methods=_METHODS),
        ]

    def _cluster_routes(self, prefix: str) -> list[Route]:
        return [
            Route(f"{prefix}/schemas", self.schemas),
            Route(f"{prefix}/schemas/{{name}}", self.schema),
            Route(f"{prefix}/{{type}}", self.collection, methods=_METHODS),
            Route(f"{prefix}/{{type}}/{{name}}", self.resource, methods=_METHODS),
        ]

    async def login(self, request: Request) -> Response:
        """Log a user in, and return the session's token."""
        document, value = users.login(self._rancher, await _body(request))
        shown = {"id": document["id"], "token": value, "expiresAt": document["expiresAt"]}
        return JSONResponse(shown | {"baseType": "token", "type": "token"}, HTTPStatus.CREATED)

    async def login_by_action(self, request: Request) -> Response:
        """Log a user in by the action that older clients use."""
        if request.query_params.get("action") != "login":
            raise ApiError(404, "NotFound", "not found")
        return await self.login(request)

    async def index(self, request: Request) -> Response:
        """Return the links to all collections."""
        site = _site(request)
        return _answer(representation.index(Context.MANAGEMENT, site), site)

    async def schemas(self, request: Request) -> Response:
        """Return the schemas of the API."""
        site = _site(request)
        context = Context.CLUSTER if site.cluster else Context.MANAGEMENT
        shown = [self._schema(request, it) for it in schemas.of_context(context)]
        return _answer(representation.schema_collection(shown, site.root(context)), site)

    async def schema(self, request: Request) -> Response:
        """Return one schema."""
        site = _site(request)
        context = Context.CLUSTER if site.cluster else Context.MANAGEMENT
        found = schemas.find(context, request.path_params["name"])
        if found is None:
            raise ApiError(404, "NotFound", "no such schema")
        return _answer(self._schema(request, found), site)

    def _schema(self, request: Request, it: Type) -> Document:
        served = self._management.get(it.name)
        may_create = served is None or self._rancher.rights.creates(request.user.user, served.kind)
        return schemas.render(it, _site(request).root(it.context), may_create=may_create)

    async def collection(self, request: Request) -> Response:
        """List resources, or create one."""
        target = self._target(request)
        of, who = target.resources, request.user
        if of.type is schemas.TOKEN and request.method == "POST" and request.query_params.get("action") == "logout":
            self._rancher.tokens.revoke(who.token)
            return Response(status_code=HTTPStatus.OK)
        if request.method not in of.type.collection_methods:
            raise _wrong_method(request, of)
        if request.method == "GET":
            filters = {key: value for key, value in request.query_params.items() if key not in _NO_FILTERS}
            data = [_shown(target, who, it) for it in await of.list(who, filters)]
            request_target = request.url.path, request.url.query
            return _answer(representation.collection(of.type, data, target.site, request_target), target.site)
        document = await of.create(who, await _body(request))
        secret = str(document.pop(SECRET, ""))
        return _answer(_shown(target, who, document, secret), target.site, HTTPStatus.CREATED)

    async def resource(self, request: Request) -> Response:
        """Return, update or delete a resource, or run an action."""
        target = self._target(request)
        of, who, name = target.resources, request.user, target.name
        if action := request.query_params.get("action"):
            if request.method != "POST":
                raise _wrong_method(request, of)
            done = await of.act(who, name, action, await _body(request))
            if not done:
                return Response(status_code=HTTPStatus.OK)
            # Stored documents have no type, so an action's answer with a type is complete.
            return _answer(done if "type" in done else _shown(target, who, done), target.site)
        if request.method not in of.type.resource_methods:
            raise _wrong_method(request, of)
        if request.method == "GET":
            # Clients read the CA's certificates before they have a token.
            document = await of.get(who, name) if request.user.is_authenticated else await self._open(of, name)
            # A cluster's URL is also the index of its API.
            return _answer(_shown(target, who, document), _inside(target))
        if request.method == "PUT":
            replaces = request.query_params.get("_replace") == "true"
            return _answer(
                _shown(target, who, await of.update(who, name, await _body(request), replaces=replaces)), target.site
            )
        gone = await of.delete(who, name)
        return _answer(_shown(target, who, gone), target.site) if gone else Response(status_code=HTTPStatus.NO_CONTENT)

    async def _open(self, of: Resources, name: str) -> Document:
        document = self._rancher.store.get(of.kind, name)
        if document is None:
            raise ApiError(404, "NotFound", "not found")
        return document

    def _target(self, request: Request) -> Target:
        site = _site(request)
        wanted = request.path_params["type"]
        found = schemas.find(Context.CLUSTER if site.cluster else Context.MANAGEMENT, wanted)
        if found is None:
            raise ApiError(404, "NotFound", f"failed to find schema {wanted}")
        if site.cluster and site.cluster not in self._rancher.apis:
            message = f'clusters.management.cattle.io "{site.cluster}" not found'
            raise ApiError(503, "ClusterUnavailable", message)
        resources = Namespaces(self._rancher, site.cluster) if site.cluster else self._management[found.name]
        return Target(resources, site, request.path_params.get("name", ""))


def _shown(target: Target, who: Identity, document: Mapping[str, Any], secret: str = "") -> Document:
    of = target.resources
    return representation.resource(of.type, document, target.site, of.actions(who, dict(document)), secret)


def _inside(target: Target) -> Site:
    leads = target.resources.type is schemas.CLUSTER
    return Site(target.site.url, target.name) if leads else target.site


def _site(request: Request) -> Site:
    return Site(str(request.base_url).rstrip("/"), request.path_params.get("cluster", ""))


def _answer(body: Document, site: Site, status: int = HTTPStatus.OK) -> Response:
    return JSONResponse(body, status, {"X-API-Schemas": site.schemas()})


def _wrong_method(request: Request, of: Resources) -> ApiError:
    return ApiError(405, "MethodNotAllow", f"Method {request.method} not supported for {of.type.name}")


async def _body(request: Request) -> Document:
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise ApiError(422, "InvalidBodyContent", f"Failed to parse body: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(422, "InvalidBodyContent", "Failed to parse body: it is no object")
    return body


async def _ping(_request: Request) -> Response:
    return PlainTextResponse("pong")


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")
