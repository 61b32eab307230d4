"""Renders documents as resources with type, links and actions, alone or in a collection: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from lab.rancher import schemas
from lab.rancher.schemas import Context, Type
from lab.rancher.store import Document

_HIDDEN = frozenset({"token", "password"})
"""Fields that only the answer to the creating request contains."""


@dataclass(frozen=True)
class Site:
    """The server's URL for the client, and the cluster whose API it uses, if any."""

    url: str
    """Scheme and host, without a trailing slash."""
    cluster: str = ""

    def root(self, context: Context) -> str:
        """Return the URL of an API."""
        return f"{self.url}{context.value}" + (f"/{self.cluster}" if context is Context.CLUSTER else "")

    def schemas(self) -> str:
        """Return the URL of the schemas of the API that the client uses."""
        return f"{self.root(Context.CLUSTER if self.cluster else Context.MANAGEMENT)}/schemas"


def resource(
    it: Type, document: Mapping[str, object], site: Site, actions: Iterable[str] = (), secret: str = ""
) -> Document:
    """Return a document as its client sees it; `secret` is the value of the field that only this answer shows."""
    own = f"{site.root(it.context)}/{it.plural}/{document['id']}"
    shown = {key: value for key, value in document.items() if key in it.fields and key not in _HIDDEN}
    links = {"self": own}
    if "PUT" in it.resource_methods:
        links["update"] = own
    if "DELETE" in it.resource_methods:
        links["remove"] = own
    if it is schemas.CLUSTER:
        links |= {sub.plural: f"{own}/{sub.plural.lower()}" for sub in schemas.of_context(Context.CLUSTER)}
        links["projects"] = f"{site.root(it.context)}/projects?clusterId={document['id']}"
    return (
        dict(it.defaults)
        | shown
        | ({"token": secret} if secret else {})
        | {
            "actions": {action: f"{own}?action={action}" for action in actions},
            "baseType": it.name,
            "createdTS": document.get("createdTS"),
            "id": document["id"],
            "links": links,
            "type": it.name,
        }
    )


def collection(it: Type, data: Sequence[Document], site: Site, request_target: tuple[str, str]) -> Document:
    """Return a list of resources on one page; `request_target` is the path and the query of the request."""
    path, query = request_target
    reverse = urlencode(sorted([*parse_qsl(query), ("order", "desc")]))
    own = f"{site.root(it.context)}/{it.plural.lower()}"
    return {
        "actions": {},
        "createTypes": {it.name: own} if "POST" in it.collection_methods else {},
        "data": list(data),
        "filters": {},
        "links": {"self": f"{site.url}{path}"},
        "pagination": {"limit": 1000, "total": len(data)},
        "resourceType": it.name,
        "sort": {"links": {}, "order": "asc", "reverse": f"{site.url}{path}?{reverse}"},
        "type": "collection",
    }


def schema_collection(shown: Sequence[Document], root: str) -> Document:
    """Return the schemas of the API at the URL `root`."""
    return {
        "data": list(shown),
        "links": {"self": f"{root}/schemas"},
        "resourceType": "schema",
        "type": "collection",
    }


def index(context: Context, site: Site) -> Document:
    """Return the answer of the API's root: the links to its collections."""
    root = site.root(context)
    links = {it.plural: f"{root}/{it.plural.lower()}" for it in schemas.of_context(context)}
    return {
        "actions": {},
        "apiVersion": {"group": "management.cattle.io", "path": context.value, "version": "v3"},
        "baseType": "apiRoot",
        "links": links | {"schemas": f"{root}/schemas", "self": root},
        "type": "apiRoot",
    }
