"""The rules, one a module. Adding a module adds its policy to the pack."""

import pkgutil
from importlib import import_module

from pulumi_policy import Policy


def _find() -> tuple[Policy, ...]:
    modules = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.POLICY for module in modules), key=lambda policy: policy.name))


POLICIES = _find()
"""The `POLICY` of each module, by name."""

__all__ = ["POLICIES"]
