"""The script that installs packages for `make` and CI. Its commands are doubles on an otherwise empty PATH."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab import preflight
from lab.clusters import node

RUN = Path(__file__).parents[3] / ".ci" / "run"
SHELL = ("bash", "dirname", "env", "install", "printf", "rm", "sort")
"""The commands that the script itself runs."""


class Machine:
    """A machine with only the commands of a folder, and a copy of the script."""

    def __init__(self, folder: Path) -> None:
        self.commands = folder / "bin"
        self.commands.mkdir()
        self.log = folder / "apt.log"
        self.script = folder / "lab" / "install-packages"
        self.script.parent.mkdir()
        text = preflight.INSTALLER.read_text()
        places = {
            'export PATH="$PATH:/usr/sbin:/sbin"\n': "",
            "/usr/lib/cni": str(folder / "cni"),
            "/opt/cni": str(folder / "cni"),
            "/usr/sbin/policy-rc.d": str(folder / "policy-rc.d"),
        }
        for place, instead in places.items():
            assert place in text
            text = text.replace(place, instead)
        self.script.write_text(text)
        self.script.chmod(0o755)
        table = preflight.INSTALLER.with_name("packages.txt")
        self.script.with_name("packages.txt").write_text(table.read_text())
        for name in SHELL:
            (self.commands / name).symlink_to(Path("/usr/bin") / name)
        self.has(id="echo 0", python3="exit 0")

    def has(self, **commands: str) -> None:
        """Add commands, each with its script."""
        for name, text in commands.items():
            program = self.commands / name.replace("_", "-")
            program.unlink(missing_ok=True)
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)

    def has_all(self, *but: str) -> None:
        """Add all commands that the groups need, and the CNI plugins."""
        for line in self.script.with_name("packages.txt").read_text().splitlines():
            if not line.startswith("#") and (command := line.split()[1]) not in but:
                self.has(**{command: "exit 0"})
        plugin = self.script.parents[1] / "cni" / "bridge"
        plugin.parent.mkdir(exist_ok=True)
        plugin.touch()

    def install(self, *groups: str) -> subprocess.CompletedProcess[str]:
        """Run the script for some groups."""
        environment = {"PATH": str(self.commands), "LOG": str(self.log)}
        return subprocess.run(  # noqa: S603 - the project's own script
            [str(self.commands / "bash"), self.script, *groups],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a bare machine on which this process is root."""
    return Machine(tmp_path)


def test_a_machine_that_has_everything_is_left_alone(machine: Machine) -> None:
    """The script prints nothing and does not run apt."""
    machine.has_all()
    done = machine.install("python", "lab", "tests")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_root_gets_what_is_missing_and_is_told(machine: Machine) -> None:
    """Each package is installed once. The policy against the start of services is removed at the end."""
    machine.has_all("containerd", "ctr", "iptables")
    policy = machine.script.parents[1] / "policy-rc.d"
    machine.has(apt_get=f'echo "$@" >>"$LOG"; test -x {policy}')
    done = machine.install("python", "lab", "tests")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "Installing Debian's packages: containerd iptables\n"
    update, install = machine.log.read_text().splitlines()
    assert update.startswith("update")
    assert install.endswith("--yes containerd iptables")
    assert "--no-remove" in install
    assert not policy.exists()


def test_a_policy_of_the_machines_own_stays(machine: Machine) -> None:
    """The script does not remove it."""
    machine.has_all("iptables")
    policy = machine.script.parents[1] / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    machine.has(apt_get="exit 0")
    assert machine.install("lab").returncode == 0
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


@pytest.mark.parametrize("case", ["not root", "no apt"])
def test_anyone_else_is_told_exactly_what_to_install(machine: Machine, case: str) -> None:
    """The error contains one line to paste, and nothing is installed."""
    machine.has_all("runc")
    if case == "not root":
        machine.has(id="echo 1000", apt_get='echo "$@" >>"$LOG"')
    done = machine.install("lab")
    assert done.returncode == 2
    assert done.stderr == (
        "error: packages are missing: runc\n"
        "As root: apt-get install --quiet=2 --no-install-recommends --no-remove --yes runc\n"
    )
    assert not machine.log.exists()


def test_python_needs_what_makes_virtual_environments_alone(machine: Machine) -> None:
    """`make test` needs no container runtime."""
    assert machine.install("python").returncode == 0
    machine.has(python3="exit 1")
    assert "packages are missing: python3-venv\n" in machine.install("python").stderr


def test_the_cni_plugins_are_no_command(machine: Machine) -> None:
    """The script detects that they are missing as well."""
    machine.has_all()
    (machine.script.parents[1] / "cni" / "bridge").unlink()
    assert "packages are missing: containernetworking-plugins\n" in machine.install("lab").stderr


def test_what_the_lab_misses_is_what_the_script_installs() -> None:
    """Both read the same table."""
    lines = [line.split() for line in preflight.INSTALLER.with_name("packages.txt").read_text().splitlines()]
    assert tuple(command for group, command, _ in lines[2:] if group == "lab") == preflight.COMMANDS
    assert "containerd" in preflight.COMMANDS


def test_the_script_looks_for_the_cni_plugins_where_a_node_does() -> None:
    """It runs before Python is available, so it contains the folders as well."""
    assert re.findall(r"-e (\S+)/bridge ]", preflight.INSTALLER.read_text()) == list(map(str, node.CNI_FOLDERS))


def test_ci_and_make_install_by_the_script() -> None:
    """It is their first step, and they install packages in no other way."""
    assert "\nlab/install-packages python lab tests\nmake test\n" in RUN.read_text()
    for text in (RUN.read_text(), (RUN.parents[1] / "Makefile").read_text()):
        assert "apt" not in text


def test_ci_is_a_script_that_bash_understands() -> None:
    """It runs unattended, so a syntax error would be noticed too late."""
    for script in (RUN, preflight.INSTALLER):
        subprocess.run(["bash", "-n", script], check=True)  # noqa: S603, S607 - the project's own script
    assert os.access(preflight.INSTALLER, os.X_OK)
