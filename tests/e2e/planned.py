"""Reads the plan of a preview from the JSON of each engine."""

import json
from collections.abc import Mapping

from lab.engines import Engine
from tests.e2e.checkout import Checkout, Run

UNCHANGED = ("same", "read")

NO_CHANGE_OPTIONS = {
    Engine.STAND_IN: (("--expect-no-changes",),),
    Engine.PULUMI: (("--expect-no-changes",), ("--refresh", "--expect-no-changes")),
}
"""The options of previews that must show no change, by engine; the stand-in always queries the clusters."""


def preview(checkout: Checkout, engine: Engine) -> tuple[Mapping[str, str], Run]:
    """Run a preview; return the step of each URN that would change, and the run."""
    run = checkout.deploy("preview", engine, "--json").must_succeed()
    document = json.loads(run.stdout[run.stdout.index("{") :])
    if engine is Engine.PULUMI:
        steps = {step["urn"]: step["op"] for step in document["steps"]}
    else:
        steps = {change["urn"]: change["step"] for change in document["changes"]}
    return {urn: step for urn, step in steps.items() if step not in UNCHANGED}, run


def type_of(urn: str) -> str:
    """Return a resource's type without the types of its ancestors."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """Return a resource's logical name."""
    return urn.split("::", 3)[3]
