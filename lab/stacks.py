"""Reads the stack files of the lab."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from config.stackfiles import config_of, read_document
from errors import UserError
from lab.rancher import service

STACK = "lab"
NAMESPACE = "mcsps"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class LabStack:
    """
    The content of a stack file of the lab.

    Attributes:
        document: The file with the changes.
        changes: The config values that are not the file's, by full key.
    """

    name: str
    document: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)

    def configured(self, values: Mapping[str, Any]) -> Self:
        """Return the stack with these config values, by key without its prefix; the file stays as it is."""
        changes = {f"{NAMESPACE}:{key}": value for key, value in values.items()}
        document = {**self.document, "config": {**self.document["config"], **changes}}
        return replace(self, document=document, changes={**self.changes, **changes})

    @property
    def needs_rancher(self) -> bool:
        """Whether the file names a Rancher server."""
        return bool(self.document["config"].get(f"{NAMESPACE}:rancher"))


def read_stack(name: str) -> LabStack:
    """
    Read a stack file of the lab.

    Raises:
        UserError: The stack is not for the lab, its file is missing or has no config, or it needs a Rancher server that
            the lab does not have.
    """
    file = ROOT / f"Pulumi.{name}.yaml"
    if name != STACK and not name.startswith(f"{STACK}-"):
        raise UserError(f"Stack {name} is not a stack of the lab", f"Use {STACK} or {STACK}-..., or run pulumi itself")
    if not file.is_file():
        raise UserError(f"There is no stack {name}: {file.name} is missing", f"Write it, or use {STACK}")
    document = read_document(file)
    if not config_of(file, document):
        raise UserError(f"{file.name} has no mapping 'config'", f"Add one, as in Pulumi.{STACK}.yaml")
    stack = LabStack(name, document)
    if stack.needs_rancher and not service.is_wanted():
        raise UserError(f"Stack {name} needs a Rancher server, and the lab has none", "Run: python -m lab up --rancher")
    return stack
