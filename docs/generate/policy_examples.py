"""The examples in policies/examples/: resources that break a rule, and ones that keep it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import yaml

from policies.lib.resources import Provider, Resource

Given = Mapping[str, Any]
"""
One resource: `type`, `name` and `inputs`. If it matters also `under` (the types of its parents), `provider` (a cluster,
or the engine's default provider) and `protect`.
"""


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The examples of one rule, as they are written."""

    breaks: str
    keeps: str

    @property
    def broken(self) -> Sequence[Given]:
        """The resources that break the rule; the violation is that of the first."""
        return list(yaml.safe_load(self.breaks))

    @property
    def kept(self) -> Sequence[Given]:
        """The resources that keep it."""
        return list(yaml.safe_load(self.keeps))


def read(module: ModuleType) -> Examples:
    """Read the examples of a rule's module."""
    file = Path(str(module.__file__))
    text = (file.parents[1] / "examples" / f"{file.stem}.yaml").read_text()
    breaks, keeps = text.removeprefix("breaks:\n").split("\nkeeps:\n")
    return Examples(breaks=dedent(breaks).strip(), keeps=dedent(keeps).strip())


def object_name(given: Given) -> str:
    """The kind and name of a resource, by which an exception names it."""
    provider = Provider(name=str(given.get("provider", "east")), inputs={})
    inputs = {} if provider.is_default else {"clusterIdentifier": provider.name}
    resource = Resource(
        type=given["type"],
        name=given["name"],
        urn="",
        raw=given["inputs"],
        protect=False,
        provider=replace(provider, inputs=inputs),
    )
    return str(resource)
