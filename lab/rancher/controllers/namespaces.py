"""The project of a namespace: the annotation that sets it, the label derived from it, and their upkeep."""

import json
from collections.abc import Mapping
from datetime import datetime

from lab.rancher import metadata, names
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind

PATH = "/api/v1/namespaces"
ROLES_POPULATED = "InitialRolesPopulated"
QUOTA_INIT = "ResourceQuotaInit"
QUOTA_VALIDATED = "ResourceQuotaValidated"


def annotations(namespace: Document) -> Mapping[str, str]:
    """Return a namespace's annotations."""
    return namespace["metadata"].get("annotations") or {}


def labels(namespace: Document) -> Mapping[str, str]:
    """Return a namespace's labels."""
    return namespace["metadata"].get("labels") or {}


def project_of(namespace: Document) -> str:
    """Return the id of the namespace's project; empty without one."""
    return annotations(namespace).get(names.PROJECT_ID, "")


def is_going(namespace: Document) -> bool:
    """Return whether the namespace is being deleted."""
    return bool(namespace["metadata"].get("deletionTimestamp"))


def conditions(namespace: Document) -> dict[str, Document]:
    """Return Rancher's conditions of a namespace by type; Rancher uses two spellings."""
    status = json.loads(annotations(namespace).get(names.STATUS) or "{}")
    found = status.get("Conditions") or status.get("conditions") or []
    lowered = ({key[0].lower() + key[1:]: value for key, value in it.items()} for it in found)
    return {str(it["type"]): it for it in lowered}


def with_condition(namespace: Document, desired: Mapping[str, tuple[bool, str]], now: datetime) -> str:
    """Return the status annotation with these conditions; an unchanged condition keeps its time."""
    known = conditions(namespace)
    for name, (is_true, message) in desired.items():
        status = str(is_true)
        old = known.get(name)
        if old is None or (old.get("status"), old.get("message") or "") != (status, message):
            known[name] = {
                "type": name,
                "status": status,
                "message": message,
                "lastUpdateTime": metadata.timestamp(now),
            }
    rendered = [
        {
            "Type": it["type"],
            "Status": it.get("status", ""),
            "Message": it.get("message") or "",
            "LastUpdateTime": it.get("lastUpdateTime") or "",
        }
        for it in known.values()
    ]
    return json.dumps({"Conditions": rendered}, separators=(",", ":"))


async def of_cluster(rancher: Rancher, cluster: str) -> list[Document]:
    """Return all namespaces of a cluster."""
    return await rancher.apis[cluster].objects(PATH)


async def adopt(rancher: Rancher, cluster: str, found: list[Document]) -> None:
    """Assign the initial namespaces of a cluster to its first two projects, once."""
    first: dict[str, str] = {}
    for project in rancher.store.all(Kind.PROJECT):
        if project["clusterId"] == cluster:
            if project["labels"].get(names.DEFAULT_PROJECT):
                first["default"] = project["id"]
            if project["labels"].get(names.SYSTEM_PROJECT):
                first.update({it: str(project["id"]) for it in names.SYSTEM_NAMESPACES})
    for namespace in found:
        name = namespace["metadata"]["name"]
        if name in first and annotations(namespace).get(names.NAMESPACE_AUTH) != "true" and not project_of(namespace):
            await change(rancher, cluster, namespace, {names.PROJECT_ID: first[name]}, {})


async def change(
    rancher: Rancher,
    cluster: str,
    namespace: Document,
    new_annotations: Mapping[str, str | None],
    new_labels: Mapping[str, str | None],
) -> None:
    """Set the annotations and labels that differ; None removes one."""
    parts = (("annotations", annotations(namespace), new_annotations), ("labels", labels(namespace), new_labels))
    patch = {
        part: changed
        for part, old, new in parts
        if (changed := {key: value for key, value in new.items() if old.get(key) != value})
    }
    if patch:
        body = {"metadata": patch}
        updated = await rancher.apis[cluster].patch(f"{PATH}/{namespace['metadata']['name']}", body)
        namespace["metadata"] = updated["metadata"]


async def leave_project(rancher: Rancher, project: Document) -> None:
    """Delete the namespaces of a project that Rancher created, and remove the others from the project."""
    cluster = project["clusterId"]
    for namespace in await of_cluster(rancher, cluster):
        if project_of(namespace) == project["id"]:
            if names.CREATOR_ID in annotations(namespace):
                await rancher.apis[cluster].delete(f"{PATH}/{namespace['metadata']['name']}")
            else:
                # Rancher keeps the label.
                await change(rancher, cluster, namespace, {names.PROJECT_ID: None}, {})
