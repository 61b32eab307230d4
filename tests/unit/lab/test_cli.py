"""The lab's commands as users run them."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab import cli, preflight, spec, teardown
from lab.build import images, toolchain
from lab.clusters import cluster
from lab.machine import lock, mounts, network
from lab.rancher import service


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
    """A closed terminal or a service manager leaves no process of the command."""
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


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the steps of a command on a lab of two clusters, without any of their effects."""
    done: list[str] = []
    east, west = spec.clusters(2)
    monkeypatch.setattr(spec, "STATE_DIR", tmp_path)
    monkeypatch.setattr(cli, "existing", lambda: (east, west))
    monkeypatch.setattr(preflight, "load_modules", lambda: None)
    monkeypatch.setattr(preflight, "check", lambda _: done.append("check"))
    monkeypatch.setattr(toolchain, "ensure", lambda _: toolchain.Toolchain(tmp_path))
    monkeypatch.setattr(images, "ensure", lambda *_: ())
    monkeypatch.setattr(cli, "_publish", lambda _: None)
    monkeypatch.setattr(mounts, "ensure_namespaces_dir", lambda: None)
    monkeypatch.setattr(network, "ensure_fabric", lambda: done.append("fabric"))
    monkeypatch.setattr(network, "ensure_node", lambda node: done.append(f"link {node.name}"))
    monkeypatch.setattr(cluster, "ensure", lambda node, *_: done.append(f"create {node.name}"))
    monkeypatch.setattr(teardown, "finish", lambda: done.append("finish"))
    monkeypatch.setattr(teardown, "remove_cluster", lambda node: done.append(f"remove {node.name}"))
    monkeypatch.setattr(service, "is_wanted", lambda: False)
    monkeypatch.setattr(service, "stop", lambda: done.append("stop Rancher"))
    monkeypatch.setattr(service, "ensure", lambda specs, **_: done.append(f"Rancher for {len(specs)}"))
    return done


def test_a_rebuild_removes_and_creates_one_cluster_alone(steps: list[str]) -> None:
    """Nothing is removed before the machine is known to be able to run a new one."""
    result = CliRunner().invoke(cli.app, ["rebuild", "west"])
    assert result.exit_code == 0, result.output
    assert steps == ["finish", "check", "stop Rancher", "remove west", "fabric", "link west", "create west"]


def test_a_rebuild_restarts_rancher_for_every_cluster(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It must read the new cluster's keys, and may run in the cgroup of the old one."""
    monkeypatch.setattr(service, "is_wanted", lambda: True)
    assert CliRunner().invoke(cli.app, ["rebuild", "east"]).exit_code == 0
    assert steps.index("stop Rancher") < steps.index("remove east")
    assert steps[-2:] == ["create east", "Rancher for 2"]


def test_a_rebuild_of_an_unknown_cluster_changes_nothing(steps: list[str]) -> None:
    """The error names the clusters."""
    result = CliRunner().invoke(cli.app, ["rebuild", "nowhere"])
    assert result.exit_code != 0
    assert "Use one of: east, west" in result.stderr
    assert steps == ["finish"]
