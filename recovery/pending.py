"""
Turns the pending operations of an interrupted update into a state to import and URNs to refresh and delete.

Pulumi records each step before it begins. A create that was interrupted is in no resource of the state. Only the
cluster knows whether its object exists, and no one knows under which field manager: if it were adopted, it would refuse
later changes. So it is added to the state and deleted, and the next `up` creates it again.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KUBERNETES = "kubernetes:"
COMPONENTS = ("kubernetes:helm.sh/v4:Chart",)
HALF_MADE = "a killed run had begun to create it"


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """How to settle a state: import it, refresh some resources, delete others."""

    state: Mapping[str, Any]
    """As exported, with nothing pending any more."""
    refresh: Sequence[str]
    """URNs of resources that were being changed or deleted, and may differ from the state."""
    delete: Sequence[str]
    """URNs of resources that were being created, and may exist."""
    dropped: Sequence[str]
    """URNs of creates without a known id; the next `up` creates them again."""

    @property
    def urns(self) -> Sequence[str]:
        """The URNs of all pending operations that are settled."""
        return [*self.refresh, *self.delete, *self.dropped]


def settle(exported: Mapping[str, Any]) -> Settlement:
    """Sort the pending operations of an exported state; after an interruption, it continues from there."""
    state = copy.deepcopy(dict(exported))
    deployment = state.get("deployment") or {}
    resources: list[dict[str, Any]] = deployment.setdefault("resources", []) if deployment else []
    known = {resource["urn"]: resource for resource in resources if not resource.get("delete")}
    refresh: list[str] = []
    dropped: list[str] = []
    for operation in deployment.pop("pending_operations", None) or ():
        resource = operation["resource"]
        urn, before = resource["urn"], known.get(resource["urn"])
        if operation["type"] != "creating":
            refresh.extend([urn] if before else [])
            continue
        object_id = kubernetes_id(resource)
        if object_id is None:
            dropped.append(urn)
        elif before is None:
            known[urn] = _adopted(resource, object_id)
            resources.append(known[urn])
        elif before.get("pendingReplacement"):
            before["initErrors"] = [HALF_MADE]
        elif before["id"] != object_id:
            # The replacement of a resource that still serves: Pulumi deletes it at the end of the next `up`.
            resources.append({**_adopted(resource, object_id), "delete": True})
            dropped.append(urn)
    delete = [urn for urn, resource in known.items() if HALF_MADE in resource.get("initErrors", ())]
    return Settlement(state=state, refresh=refresh, delete=delete, dropped=dropped)


def _adopted(resource: Mapping[str, Any], object_id: str) -> dict[str, Any]:
    return {**resource, "id": object_id, "outputs": resource["inputs"], "initErrors": [HALF_MADE]}


def kubernetes_id(resource: Mapping[str, Any]) -> str | None:
    """Return the id that pulumi-kubernetes gives to an object with a fixed name; `None` for any other resource."""
    kind = str(resource["type"])
    if not kind.startswith(KUBERNETES) or kind in COMPONENTS:
        return None
    metadata = resource.get("inputs", {}).get("metadata", {})
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not name:
        return None
    return f"{namespace}/{name}" if namespace else str(name)
