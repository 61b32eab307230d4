"""The lab's commands as users run them."""

import os
import signal
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from lab import cli, teardown
from lab.machine import lock


@pytest.fixture(autouse=True)
def own_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a separate lock, so that a running lab does not matter, and need no root."""
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-lab-test-{os.getpid()}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Restore the signal handlers."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM], ids=lambda it: it.name)
@pytest.mark.usefixtures("_handlers")
def test_a_signal_ends_a_command_as_an_interrupt_does(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """A closed terminal and a service manager leave no process of it."""
    signal.signal(number, signal.SIG_DFL)
    seen = []

    def end() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            seen.append(number)
            raise

    monkeypatch.setattr(teardown, "remove_all", end)
    assert CliRunner().invoke(cli.app, ["down"]).exit_code != 0
    assert seen == [number]


@pytest.mark.usefixtures("_handlers")
def test_a_hang_up_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """`nohup` sets this."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr(teardown, "remove_all", lambda: signal.raise_signal(signal.SIGHUP))
    assert CliRunner().invoke(cli.app, ["down"]).exit_code == 0
