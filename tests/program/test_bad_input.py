"""Invalid config stops the program before it registers anything."""

from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from tests.support import pems
from tests.support.bad_config import BAD_STACKS, BAD_VALUES, BadStack, BadValue, put
from tests.support.leaks import MARK, find_leaks
from tests.support.recording import RecordingMonitor
from tests.support.stacks import LAB, Stack, lab_stack

# Each kind of check has one example here. The unit tests run all of them.
VALUES = (
    "a misspelt key",
    "a missing key of a cluster",
    "a weight of 101",
    "a kubeconfig in one line instead of its path",
)
STACKS = (
    "an audience of an unknown region",
    "a kubeconfig that does not parse",
    "a root that is expired",
    "a root that does not fit its key",
    "a Rancher without a token",
    "a token in plain text",
    "a secret that is none",
)


@pytest.mark.parametrize("bad", [BAD_VALUES[what] for what in VALUES], ids=VALUES)
def test_a_wrong_value_stops_the_program_before_it_begins(tmp_path: Path, bad: BadValue) -> None:
    """This holds for every kind of invalid value."""
    good = lab_stack(tmp_path)
    check(replace(good, values=put(good.values, bad.place, bad.value)), bad.expected)


@pytest.mark.parametrize("bad", [BAD_STACKS[what] for what in STACKS], ids=STACKS)
def test_wrong_files_and_secrets_stop_the_program_before_it_begins(tmp_path: Path, bad: BadStack) -> None:
    """The program reads them before it creates anything."""
    check(bad.make(lab_stack(tmp_path), tmp_path), bad.expected)


def check(stack: Stack, told: tuple[str, ...]) -> None:
    """Run the program, and check that its error contains these parts and that it registers nothing."""
    monitor = RecordingMonitor(preview=False, stack=LAB)
    with pytest.raises(pulumi.RunError) as caught:
        stack.run_on(monitor)
    message = str(caught.value)
    assert [part for part in told if part not in message] == [], message
    assert monitor.recorded == []
    # Registering empty outputs would replace the outputs of the stack.
    assert monitor.component_outputs == {}
    key_lines = [line for secret in stack.secrets.values() for line in pems.secret_lines(secret)]
    assert find_leaks(monitor, message, secrets=(MARK, *key_lines)) == []
    # Pulumi shows a RunError without a traceback. Its context must not contain a secret either.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_stack_that_is_made_bad_is_good(tmp_path: Path) -> None:
    """Otherwise the tests above would find other faults than the ones that they add."""
    assert lab_stack(tmp_path).run(preview=True).recorded


def test_a_kubeconfig_may_be_named_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users write the path with `~`."""
    good = lab_stack(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    at_home = replace(good, values=put(good.values, ("clusters", 0, "access", "path"), "~/east.yaml"))
    assert at_home.run(preview=True).recorded
