"""The stacks of the lab, as their files have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from errors import UserError
from lab.rancher import service

STACK = "lab"
NAMESPACE = "mcsps"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class LabStack:
    """A stack of the lab's, as its file has it."""

    name: str
    document: Mapping[str, Any]

    @property
    def needs_rancher(self) -> bool:
        """Whether the file names a Rancher server."""
        return bool(self.document["config"].get(f"{NAMESPACE}:rancher"))


def read_stack(name: str) -> LabStack:
    """
    Read a stack file of the lab's.

    Raises:
        UserError: The stack is none of the lab's, its file is not there or holds no config, or it needs a Rancher that
            the lab has not.
    """
    file = ROOT / f"Pulumi.{name}.yaml"
    if name != STACK and not name.startswith(f"{STACK}-"):
        raise UserError(f"Stack {name} is none of the lab's", f"Take {STACK} or {STACK}-..., or plain pulumi")
    if not file.is_file():
        raise UserError(f"There is no stack {name}: {file.name} is missing", f"Write it, or take {STACK}")
    document = yaml.safe_load(file.read_text())
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise UserError(f"{file.name} has no mapping 'config'", f"Write one, as in Pulumi.{STACK}.yaml")
    stack = LabStack(name, document)
    if stack.needs_rancher and not service.is_wanted():
        raise UserError(f"Stack {name} needs a Rancher, which this lab has not", "Run: python -m lab up --rancher")
    return stack
