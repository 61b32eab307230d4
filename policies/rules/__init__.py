"""The rules, one a module. Adding a module adds its policy to the pack."""

import pkgutil
from importlib import import_module
from types import ModuleType

from pulumi_policy import Policy

from policies.lib import exceptions


def _find() -> tuple[ModuleType, ...]:
    modules = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(sorted(modules, key=lambda module: str(module.RULE.name)))


MODULES = _find()
"""The module of each rule, by the rule's name."""
POLICIES: tuple[Policy, ...] = (*(module.POLICY for module in MODULES), exceptions.POLICY)
"""The `POLICY` of each module, by name, and the report of the exceptions from them."""

__all__ = ["MODULES", "POLICIES"]
