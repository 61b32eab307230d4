"""
What a killed run had begun, sorted by what becomes of it: an exported state in, one to import out.

Pulumi notes each step before it begins. A create that was cut off is in no resource, so whether its object came to be
is known to the cluster alone, and the field manager under which it was applied to nobody: adopted, it would refuse
later changes. It is taken into the state to be deleted, and the next `up` makes it again.
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
    """URNs of what was being changed or deleted, and may or may not be as the state has it."""
    delete: Sequence[str]
    """URNs of what was being created, and may or may not be there."""
    let_go: Sequence[str]
    """URNs of creates that nobody can look up; the next `up` makes them again."""

    @property
    def urns(self) -> Sequence[str]:
        """All that there is to settle."""
        return [*self.refresh, *self.delete, *self.let_go]


def settle(exported: Mapping[str, Any]) -> Settlement:
    """Sort what is pending in an exported state; again after it was cut off, it goes on from there."""
    state = copy.deepcopy(dict(exported))
    deployment = state.get("deployment") or {}
    resources: list[dict[str, Any]] = deployment.setdefault("resources", []) if deployment else []
    known = {resource["urn"]: resource for resource in resources if not resource.get("delete")}
    refresh: list[str] = []
    let_go: list[str] = []
    for operation in deployment.pop("pending_operations", None) or ():
        resource = operation["resource"]
        urn, before = resource["urn"], known.get(resource["urn"])
        if operation["type"] != "creating":
            refresh.extend([urn] if before else [])
            continue
        object_id = kubernetes_id(resource)
        if object_id is None:
            let_go.append(urn)
        elif before is None:
            known[urn] = _taken_in(resource, object_id)
            resources.append(known[urn])
        elif before.get("pendingReplacement"):
            before["initErrors"] = [HALF_MADE]
        elif before["id"] != object_id:
            # The successor of one that still serves: Pulumi deletes it at the end of the next `up`.
            resources.append({**_taken_in(resource, object_id), "delete": True})
            let_go.append(urn)
    delete = [urn for urn, resource in known.items() if HALF_MADE in resource.get("initErrors", ())]
    return Settlement(state=state, refresh=refresh, delete=delete, let_go=let_go)


def _taken_in(resource: Mapping[str, Any], object_id: str) -> dict[str, Any]:
    return {**resource, "id": object_id, "outputs": resource["inputs"], "initErrors": [HALF_MADE]}


def kubernetes_id(resource: Mapping[str, Any]) -> str | None:
    """The id that pulumi-kubernetes gives to an object with a fixed name; `None` for anything else."""
    kind = str(resource["type"])
    if not kind.startswith(KUBERNETES) or kind in COMPONENTS:
        return None
    metadata = resource.get("inputs", {}).get("metadata", {})
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not name:
        return None
    return f"{namespace}/{name}" if namespace else str(name)
