"""The rights of the server's users in a cluster: role template bindings as Kubernetes roles and bindings."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lab.rancher import names
from lab.rancher.controllers import namespaces
from lab.rancher.kube import KubeApi
from lab.rancher.store import Document, Kind, Store

_GROUP = "/apis/rbac.authorization.k8s.io/v1"
_API = "rbac.authorization.k8s.io"
_NAME_LENGTH = 10
Objects = dict[str, Document]
"""Objects by their path in the API."""


@dataclass(frozen=True)
class DesiredAccess:
    """The roles and bindings that a cluster must have."""

    roles: Objects
    bindings: Objects


def desired(store: Store, cluster: str, found: Iterable[Document]) -> DesiredAccess:
    """Return the roles and bindings of all users in the cluster: pure except for reads of the store."""
    templates = {it["id"]: it for it in store.all(Kind.ROLE_TEMPLATE)}
    members: dict[str, list[str]] = {}
    for namespace in found:
        if not namespaces.is_going(namespace):
            members.setdefault(namespaces.project_of(namespace), []).append(namespace["metadata"]["name"])
    used: set[str] = set()
    bindings: list[Document] = [
        _admin(it["userId"]) for it in store.all(Kind.GLOBAL_BINDING) if it["globalRoleId"] == "admin"
    ]
    for binding in store.all(Kind.CLUSTER_BINDING):
        if binding["clusterId"] == cluster:
            for role in gather(templates, binding["roleTemplateId"]):
                used.add(role)
                bindings.append(_binding(binding, cluster, role, None))
    for binding in store.all(Kind.PROJECT_BINDING):
        for namespace_name in members.get(binding["projectId"], ()):
            for role in gather(templates, binding["roleTemplateId"]):
                used.add(role)
                owner = binding["projectId"].partition(":")[2]
                bindings.append(_binding(binding, owner, role, namespace_name))
    roles = [_role(templates[it]) for it in sorted(used) if not templates[it].get("external")]
    return DesiredAccess({_path(it): it for it in roles}, {_path(it): it for it in bindings})


def gather(templates: Mapping[str, Document], name: str) -> Sequence[str]:
    """Return the ids of a template and of all templates that it inherits from, each once: pure."""
    seen: dict[str, None] = {}

    def visit(one: str) -> None:
        if one in templates and one not in seen:
            seen[one] = None
            for below in templates[one].get("roleTemplateIds") or ():
                visit(below)

    visit(name)
    return tuple(seen)


async def sync(api: KubeApi, store: Store, cluster: str, found: Iterable[Document]) -> None:
    """Apply the roles and bindings to the cluster, and delete those of removed documents."""
    access = desired(store, cluster, found)
    for path, role in access.roles.items():
        existing = await api.get(path)
        if existing is None:
            await api.create(_parent(path), role)
        elif existing.get("rules") != role["rules"]:
            await api.replace(path, existing | {"rules": role["rules"]})
    there = {_path(it): it async for it in _owned(api)}
    for path in there:
        if path not in access.bindings:
            await api.delete(path)
    for path, binding in access.bindings.items():
        # The administrator's binding has no owner label, so the list does not contain it.
        if path not in there and await api.get(path) is None:
            await api.create(_parent(path), binding)
    templates = {it["id"] for it in store.all(Kind.ROLE_TEMPLATE)}
    for role in await api.objects(f"{_GROUP}/clusterroles", f"{names.CREATOR}={names.NORMAN}"):
        # A role without bindings stays as long as its template exists.
        if role["metadata"]["name"] not in templates:
            await api.delete(f"{_GROUP}/clusterroles/{role['metadata']['name']}")


async def _owned(api: KubeApi) -> AsyncIterator[Document]:
    for plural, kind in (("clusterrolebindings", "ClusterRoleBinding"), ("rolebindings", "RoleBinding")):
        for it in await api.objects(f"{_GROUP}/{plural}", names.BINDING_OWNER):
            yield it | {"kind": kind}


def _admin(user: str) -> Document:
    return _object("ClusterRoleBinding", {"name": f"globaladmin-{user}"}, _to("cluster-admin"), user)


def _binding(binding: Document, owner: str, role: str, namespace: str | None) -> Document:
    user = str(binding.get("userId"))
    digest = hashlib.sha256("/".join((namespace or "", role, user, binding["id"])).encode()).digest()
    stem = base64.b32encode(digest).decode().lower()[:_NAME_LENGTH]
    metadata: Document = {
        "name": f"{'rb' if namespace else 'crb'}-{stem}",
        "labels": {names.BINDING_OWNER: f"{owner}_{binding['name']}"},
    }
    if namespace:
        metadata["namespace"] = namespace
    return _object("RoleBinding" if namespace else "ClusterRoleBinding", metadata, _to(role), user)


def _role(template: Document) -> Document:
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": template["id"], "labels": {names.CREATOR: names.NORMAN}},
        "rules": template.get("rules") or [],
    }


def _object(kind: str, metadata: Document, role: Document, user: str) -> Document:
    subjects = [{"apiGroup": _API, "kind": "User", "name": user}]
    return {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": metadata, "roleRef": role, "subjects": subjects}


def _to(role: str) -> Document:
    return {"apiGroup": _API, "kind": "ClusterRole", "name": role}


def _path(it: Document) -> str:
    metadata = it["metadata"]
    inside = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    return f"{_GROUP}{inside}/{it['kind'].lower()}s/{metadata['name']}"


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
