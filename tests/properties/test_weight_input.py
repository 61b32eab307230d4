"""Arbitrary values for a weight."""

from collections.abc import Callable
from dataclasses import replace

import pulumi
from hypothesis import example, given
from hypothesis import strategies as st

from config.loader import load
from config.parsing import parse
from config.schema import Settings
from errors import UserError
from tests.support.recording import RecordingMonitor
from tests.support.stacks import load_values, rancher_stack

GOOD = load_values("lab")
RANCHER = rancher_stack()
NUMBERS = st.integers() | st.floats() | st.integers(min_value=-2, max_value=102)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=10) | NUMBERS.map(str),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=3), below, max_size=2),
)


@given(value=ANYTHING)
@example(value=True)
@example(value=10.0)
@example(value="10.5")
@example(value=float("nan"))
@example(value=float("inf"))
@example(value=10**400)
def test_a_weight_is_0_to_100_or_a_plain_error(value: object) -> None:
    """No other exception is raised, and no other number is accepted."""
    check(lambda: parse({**GOOD, "v2Weight": value}), good=type(value) is int and 0 <= value <= 100)


@given(text=st.text(max_size=10) | NUMBERS.map(str))
@example(text="[" * 100_000)
@example(text="1" * 5000)
@example(text="null")
@example(text="NaN")
@example(text="1e1")
@example(text=" 10 ")
def test_a_weight_on_the_command_line_is_0_to_100_or_a_plain_error(text: str) -> None:
    """The command `pulumi config set` stores any text."""

    def load_settings() -> Settings:
        found: list[Settings] = []
        stack = replace(RANCHER, values={**RANCHER.values, "v2Weight": text})
        stack.run_on(RecordingMonitor(preview=True), lambda: found.append(load(pulumi.Config())[0]))
        return found[0]

    check(load_settings, good=text in map(str, range(101)))


def check(read: Callable[[], Settings], *, good: bool) -> None:
    """Read settings with this weight. A valid one in its plainest form must be accepted; others may fail."""
    try:
        weight: object = read().v2_weight
    except UserError as error:
        message = str(error)
    else:
        message = ""
        assert type(weight) is int
        assert 0 <= weight <= 100
    assert not message or ("mcsps:v2Weight: " in message and not good)
