"""What each resource of a state waits for before its step can start."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

STACK_TYPE = "pulumi:pulumi:Stack"


class ResourceGraph:
    """The resources of a state, of which components have no step of their own."""

    def __init__(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take the `resources` of an exported state."""
        self._resources = {each["urn"]: each for each in resources}
        self._children: dict[str, list[str]] = defaultdict(list)
        for urn, resource in self._resources.items():
            self._children[resource.get("parent", "")].append(urn)

    def __len__(self) -> int:
        return len(self._resources)

    def waits_for(self, urn: str) -> frozenset[str]:
        """
        Return the resources whose steps end before the step of a resource can start.

        They are its dependencies, its provider, its parent and what its parent waits for. A component as a dependency
        stands for the resources in it; as a parent it only has to be registered, for which it waits for its own
        dependencies. A default provider is not among them: the engine creates it when a resource first needs it.
        """
        resource = self._resources.get(urn, {})
        found = set[str]()
        for dependency in resource.get("dependencies") or ():
            found |= self._members(dependency)
        # A provider is referred to by its URN and its id; only a default provider has no parent.
        provider = resource.get("provider", "").rpartition("::")[0]
        if self._resources.get(provider, {}).get("parent"):
            found.add(provider)
        if parent := resource.get("parent"):
            found |= self.waits_for(parent)
            if self._resources[parent].get("custom"):
                found.add(parent)
        return frozenset(found - {urn})

    def group(self, urn: str) -> str:
        """Return the name of the outermost parent of a resource below the stack; empty if it has none."""
        found = ""
        while urn := self._resources.get(urn, {}).get("parent", ""):
            if self._resources[urn]["type"] != STACK_TYPE:
                found = urn.rpartition("::")[2]
        return found

    def _members(self, urn: str) -> set[str]:
        """Return a resource, or those in a component."""
        if self._resources.get(urn, {}).get("custom"):
            return {urn}
        return set[str]().union(*(self._members(child) for child in self._children[urn]))
