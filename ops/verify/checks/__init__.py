"""
The checks of `verify`, one a module.

A module whose name does not begin with `_` is a check: its `CHECK` is found by itself.
"""

import importlib
import pkgutil

from ops.verify.check import Cause, Check


def _discover() -> tuple[Check, ...]:
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    )
    return tuple(sorted((module.CHECK for module in modules), key=lambda check: check.order))


CHECKS: tuple[Check, ...] = _discover()
"""In the order in which they are shown."""
CAUSES: tuple[Cause, ...] = tuple(
    sorted(dict.fromkeys(cause for check in CHECKS for cause in check.causes), key=lambda cause: cause.rank)
)
"""All that they can show, the most fundamental first."""
