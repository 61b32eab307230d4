"""The checks of `verify`, one a module. Adding a module adds its check."""

import pkgutil
from importlib import import_module

from ops.verify.check import Cause, Check


def _find() -> tuple[Check, ...]:
    modules = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.CHECK for module in modules), key=lambda check: check.order))


CHECKS = _find()
"""The `CHECK` of each module, in the order in which they are shown."""
CAUSES: tuple[Cause, ...] = tuple(
    sorted(dict.fromkeys(cause for check in CHECKS for cause in check.causes), key=lambda cause: cause.rank)
)
"""All that they can show, the most fundamental first."""
