"""The checks before `up` changes anything, and their errors."""

import os
import platform
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from errors import UserError
from lab import cli, preflight, spec
from lab.clusters import node
from lab.machine import lock


@pytest.fixture(autouse=True)
def own_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a separate lock, so that a running lab does not matter."""
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-lab-test-{os.getpid()}")


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error explains that other stacks work without a lab."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(UserError, match=r"needs Linux, and this is Darwin.*STACK=<stack>"):
        preflight.require_root()


@pytest.mark.parametrize("command", [["up"], ["status"], ["down"], ["logs", "east", "etcd"], ["kubectl", "east"]])
def test_every_command_tells_a_person_who_is_not_root(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has two lines and no traceback, and the exit code is 2."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 2
    assert "error: The lab needs root" in result.stderr
    assert "\nRun it again as root" in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_programs_are_told_as_one_command_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists all at once, including the network plugins, and names the script that installs them."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name in {"ctr", "runc"} else name)
    monkeypatch.setattr(node, "cni_folder", lambda: None)
    (problem,) = preflight.missing_packages()
    assert problem.message == "Not installed: ctr, runc, the CNI plugins"
    assert problem.remedy.endswith(": lab/install-packages lab")


def test_programs_are_looked_for_where_they_are_run_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the user does not count, because the lab's commands do not use it."""
    for command in preflight.COMMANDS:
        (tmp_path / command).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(preflight, "ENVIRONMENT", {"PATH": "/nowhere"})
    (problem,) = preflight.missing_packages()
    assert "containerd, containerd-shim-runc-v2, ctr" in problem.message


def test_routes_into_the_labs_range_are_found() -> None:
    """Narrower and equal routes count; a VPN's half of all addresses, the default route and the lab's do not."""
    routes = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "198.18.0.0/16", "dev": spec.FABRIC},
        {"dst": "192.0.2.0/24", "dev": "eth0"},
        {"dst": "198.19.255.1", "dev": "tun0"},
        {"dst": "128.0.0.0/1", "dev": "tun0"},
        {"dst": "198.0.0.0/8", "dev": "wg0"},
        {"dst": "198.18.0.0/15", "dev": "wg0"},
        {"dst": "198.18.7.0/24", "type": "blackhole"},
    ]
    assert preflight.clashes(routes) == ["198.19.255.1 on tun0", "198.18.0.0/15 on wg0", "198.18.7.0/24 on no link"]


def test_modules_are_loaded_where_the_kernel_has_them_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's bridges still bypass its iptables, and modules that are not available are reported."""
    bridge = tmp_path / "bridge"
    loaded = []

    def run(command: str, module: str) -> str:
        assert command == "modprobe"
        loaded.append(module)
        if module == "overlay":
            raise UserError("modprobe: FATAL: Module overlay not found", "")
        bridge.mkdir()
        (bridge / "bridge-nf-call-iptables").write_text("1")
        (bridge / "bridge-nf-filter-vlan-tagged").write_text("1")
        return ""

    monkeypatch.setattr(preflight, "run", run)
    monkeypatch.setattr(preflight, "_BRIDGE_SETTINGS", bridge)
    monkeypatch.setattr(preflight, "_FILE_SYSTEMS", tmp_path / "filesystems")
    (tmp_path / "filesystems").write_text("\text4\n")
    preflight.load_modules()
    assert loaded == ["overlay", "br_netfilter"]
    assert {file.name: file.read_text() for file in bridge.iterdir()} == {
        "bridge-nf-call-iptables": "0",
        "bridge-nf-filter-vlan-tagged": "1",
    }
    assert preflight.absent_modules() == ["overlay"]


def test_a_lack_of_disk_is_told_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Existing clusters need no further disk."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**30))
    problems = [str(problem) for problem in preflight.short_resources(2)]
    assert any("1.0 GiB free, and new clusters take 4.0" in problem for problem in problems)
    assert list(preflight.short_resources(0)) == []


def test_one_command_at_a_time_changes_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second command fails at once, and works after the first one has finished."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with lock.held():
        result = CliRunner().invoke(cli.app, ["down"])
    assert result.exit_code == 2
    assert "Another command uses the lab" in result.stderr
    with lock.held():
        pass


def test_too_many_clusters_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check comes before all others."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    result = CliRunner().invoke(cli.app, ["up", "--clusters", "17"])
    assert result.exit_code == 2
    assert "The lab cannot have 17 clusters" in result.stderr
