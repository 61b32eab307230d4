"""Namespaces, which are Kubernetes objects, through the API of their cluster and with the user's rights."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from lab.rancher import errors, metadata, names, schemas, validation
from lab.rancher.controllers import namespaces, quota
from lab.rancher.errors import ApiError
from lab.rancher.impersonation import headers
from lab.rancher.kube import KubeApi
from lab.rancher.resources.base import METADATA, Resources
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

_MOVE = "move"
_NAME = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Kubernetes' text.
_NAME_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_FIELDS = {
    "description": names.DESCRIPTION,
    "projectId": names.PROJECT_ID,
    "creatorId": names.CREATOR_ID,
}
_OBJECTS = {"resourceQuota": names.RESOURCE_QUOTA, "containerDefaultResourceLimit": names.CONTAINER_LIMIT}


class Namespaces(Resources):
    """The namespaces of one cluster."""

    def __init__(self, rancher: Rancher, cluster: str) -> None:
        """Serve the namespaces of the cluster with this id."""
        super().__init__(rancher, Kind.CLUSTER, schemas.NAMESPACE)
        self._cluster = cluster

    async def list(self, who: Identity, filters: Mapping[str, str]) -> list[Document]:
        """Return the namespaces that the user may list."""
        try:
            found: Sequence[Document] = await self._api(who).objects(namespaces.PATH)
        except ApiError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            found = await self._of_projects(who)
        shown = map(render, found)
        return [
            it
            for it in shown
            if all(str(it.get(key)) == value for key, value in filters.items() if key in self.type.fields)
        ]

    async def get(self, who: Identity, name: str) -> Document:
        """Return one namespace."""
        return render(await self._raw(who, name))

    async def create(self, who: Identity, body: Document) -> Document:
        """Create a namespace, in a project if it names one whose quota has room."""
        name = str(body.get("name") or names.generate("n-"))
        if not _NAME.fullmatch(name):
            raise errors.invalid("InvalidFormat", f"InvalidFormat 422: invalid value {name}: {_NAME_RULE}", "name")
        place = str(body.get("projectId") or "")
        await self._check_quota(body.get("resourceQuota"), place, "")
        waiting = [{"type": namespaces.ROLES_POPULATED, "status": "Unknown", "message": "Populating initial roles"}]
        if body.get("resourceQuota"):
            message = "Validating resource quota"
            waiting.append({"type": namespaces.QUOTA_VALIDATED, "status": "Unknown", "message": message})
        project = self.rancher.store.get(Kind.PROJECT, place) or {}
        content = {"containerDefaultResourceLimit": project.get("containerDefaultResourceLimit")} | {
            key: it for key, it in body.items() if it
        }
        annotations = metadata.merge({}, body.get("annotations")) | _to_annotations(content)
        annotations |= {names.STATUS: json.dumps({"conditions": waiting}), names.CREATOR_ID: who.user}
        labels = metadata.merge({}, body.get("labels")) | {names.CREATOR: names.NORMAN}
        raw = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "annotations": annotations, "labels": labels},
        }
        return render(await self._api(who).create(namespaces.PATH, raw))

    async def update(self, who: Identity, name: str, body: Document, *, replaces: bool) -> Document:  # noqa: ARG002 - one way only
        """Update a namespace; only the action `move` changes its project."""
        old = await self._raw(who, name)
        await self._check_quota(body.get("resourceQuota"), namespaces.project_of(old), name)
        content = {key: it for key, it in body.items() if key != "projectId"}
        new = old["metadata"]
        for part in METADATA:
            new[part] = metadata.merge(new.get(part) or {}, body.get(part))
        for field, value in content.items():
            if field in _OBJECTS and value is None:
                new["annotations"].pop(_OBJECTS[field], None)
        new["annotations"] |= _to_annotations(content)
        return render(await self._api(who).replace(f"{namespaces.PATH}/{name}", old))

    async def delete(self, who: Identity, name: str) -> Document | None:
        """Begin the deletion of a namespace, and return its content."""
        await self._raw(who, name)
        await self._api(who).delete(f"{namespaces.PATH}/{name}")
        raw = await self._api(who).get(f"{namespaces.PATH}/{name}")
        return render(raw) if raw else None

    def actions(self, who: Identity, document: Document) -> tuple[str, ...]:  # noqa: ARG002 - the cluster decides
        """Return the action that moves the namespace to another project."""
        return (_MOVE,)

    async def act(self, who: Identity, name: str, action: str, body: Document) -> Document | None:
        """Move a namespace to another project, or out of its project."""
        if action != _MOVE:
            return await super().act(who, name, action, body)
        place = str(body.get("projectId") or "")
        if place and ":" not in place:
            place = f"{self._cluster}:{place}"
        project = self.rancher.store.get(Kind.PROJECT, place) if place else None
        if place and project is None:
            message = errors.missing(Kind.PROJECT, place.rpartition(":")[2]).message
            raise ApiError(500, "ServerError", message)
        if project and project.get("resourceQuota"):
            message = f"can't move namespace. Project {project['name']} has resource quota set"
            raise ApiError(500, "ServerError", message)
        await self._raw(who, name)
        annotations = {names.PROJECT_ID: place or None}
        patch = {"annotations": annotations} | ({} if place else {"labels": {names.PROJECT_ID: None}})
        await self._api(who).patch(f"{namespaces.PATH}/{name}", {"metadata": patch})
        return None

    def _api(self, who: Identity) -> KubeApi:
        return self.rancher.apis[self._cluster].impersonating(headers(who))

    async def _of_projects(self, who: Identity) -> Sequence[Document]:
        """Return the namespaces of the projects that the user can see, for users who cannot list all."""
        projects = self.rancher.store.all(Kind.PROJECT)
        seen = {it["id"] for it in projects if self.rancher.rights.sees(who.user, Kind.PROJECT, it)}
        every = await namespaces.of_cluster(self.rancher, self._cluster)
        return [it for it in every if namespaces.project_of(it) in seen]

    async def _raw(self, who: Identity, name: str) -> Document:
        raw = await self._api(who).get(f"{namespaces.PATH}/{name}")
        if raw is None:
            raise ApiError(404, "NotFound", f'namespaces "{name}" not found')
        return raw

    async def _check_quota(self, own: Document | None, place: str, name: str) -> None:
        if not place:
            return
        project = self.rancher.store.get(Kind.PROJECT, place)
        if project is None:
            raise errors.missing(Kind.PROJECT, place.rpartition(":")[2])
        others = [
            limit
            for it in await namespaces.of_cluster(self.rancher, self._cluster)
            if namespaces.project_of(it) == place and it["metadata"]["name"] != name and (limit := quota.read_quota(it))
        ]
        validation.check_namespace(own, others, project)


def render(raw: Document) -> Document:
    """Return a namespace in the API's form: pure."""
    own = raw["metadata"]
    annotations = dict(own.get("annotations") or {})
    shown: Document = {field: annotations.pop(key) for field, key in _FIELDS.items() if key in annotations}
    for field, key in _OBJECTS.items():
        if key in annotations:
            shown[field] = json.loads(annotations.pop(key))
    waiting = [it for it in namespaces.conditions(raw).values() if it.get("status") == "Unknown"]
    failed = [it for it in namespaces.conditions(raw).values() if it.get("status") == "False"]
    state = "removing" if namespaces.is_going(raw) else "activating" if waiting else "error" if failed else "active"
    return shown | {
        "annotations": annotations,
        "created": own.get("creationTimestamp"),
        "createdTS": _millis(own.get("creationTimestamp")),
        "id": own["name"],
        "labels": dict(own.get("labels") or {}),
        "name": own["name"],
        "state": state,
        "transitioning": {"active": "no", "error": "error"}.get(state, "yes"),
        "transitioningMessage": next((it.get("message") or "" for it in (*waiting, *failed)), ""),
        "uuid": own.get("uid"),
    }


def _millis(timestamp: str | None) -> int | None:
    return int(datetime.fromisoformat(timestamp).timestamp()) * 1000 if timestamp else None


def _to_annotations(body: Document) -> dict[str, str]:
    said = {"description": names.DESCRIPTION, "projectId": names.PROJECT_ID}
    found = {key: str(body[field]) for field, key in said.items() if body.get(field)}
    if limit := (body.get("resourceQuota") or {}).get("limit"):
        found[names.RESOURCE_QUOTA] = quota.render_quota(limit)
    if container := body.get("containerDefaultResourceLimit"):
        found[names.CONTAINER_LIMIT] = quota.render_container(container)
    return found
