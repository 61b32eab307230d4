"""Reads a stack's resources and outputs from the engine that keeps them."""

import json
from typing import Any

from lab.engines import Engine
from lab.pulumi_backend import read_state
from lab.stacks import STACK
from lab.standin.state import STATE_DIR as STAND_IN_DIR
from tests.e2e.checkout import Checkout


def stack_outputs(engine: Engine, checkout: Checkout) -> dict[str, Any]:
    """Read the outputs of the stack. Secret outputs stay masked, so a secret output fails a comparison."""
    if engine is Engine.STAND_IN:
        exports: dict[str, Any] = json.loads(checkout.deploy("preview", engine, "--json").stdout)["exports"]
        return exports
    (stack,) = (each for each in engine_state(engine, checkout.stack) if each["type"] == "pulumi:pulumi:Stack")
    return dict(stack["outputs"])


def engine_state(engine: Engine, stack: str = STACK) -> list[dict[str, Any]]:
    """Read the resources that an engine keeps of a stack."""
    if engine is Engine.STAND_IN:
        kept = json.loads((STAND_IN_DIR / f"{stack}.json").read_text())
    else:
        kept = json.loads(read_state(stack))["checkpoint"]["latest"]
    resources: list[dict[str, Any]] = kept["resources"]
    return resources
