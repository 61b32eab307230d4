"""The cost of the pack grows no faster than the stack."""

import sys
from dataclasses import replace
from types import FrameType

import yaml

from policies.rules import POLICIES
from tests.policies.test_clean_stacks import STACKS
from tests.support.policies import Made, from_data, judge_pack

TIMES = 4
RESOURCES = [from_data(given) for stack in STACKS for given in yaml.safe_load(stack.read_text())]


def copies(number: int) -> list[Made]:
    """Return the stacks of that many teams, each with its own names."""
    return [replace(made, name=f"{made.name}-{copy}") for copy in range(number) for made in RESOURCES]


def calls(resources: list[Made]) -> int:
    """Count the calls of the pack's own functions."""
    counted = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal counted
        counted += event == "call" and "/policies/" in frame.f_code.co_filename

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        judge_pack(POLICIES, *resources)
    finally:
        sys.setprofile(before)
    return counted


def test_the_cost_grows_no_faster_than_the_stack() -> None:
    """The test counts calls, because other processes on the machine do not change their number."""
    one, more = calls(copies(1)), calls(copies(TIMES))
    assert one > len(RESOURCES)
    assert more <= 1.1 * TIMES * one
