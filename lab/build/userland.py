"""
The few programs that the lab's images take from the machine itself: a shell, curl and iptables.

The machine has them anyway (its nodes run on the same iptables), so a copy, with the libraries that each one loads, is
there in no time and needs neither a distribution's archive nor hundreds of megabytes.
"""

import re
import shutil
import subprocess
from pathlib import Path

from errors import UserError
from lab.build.oci import Content, Layer, Symlink
from lab.machine.command import ENVIRONMENT

_COMMANDS = ("cat", "curl", "env", "ls", "seq", "sh", "sleep")
_IPTABLES = tuple(f"{family}tables{action}" for family in ("ip", "ip6") for action in ("", "-restore", "-save"))
_BACKENDS = ("legacy", "nft")

_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_PASSWD = b"root:x:0:0::/:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\nnonroot:x:65532:65532::/:/bin/sh\n"
_GROUP = b"root:x:0:\nistio-proxy:x:1337:\nnonroot:x:65532:\n"


def layer() -> Layer:
    """
    Files of this machine that make a small userland.

    Raises:
        UserError: One of the programs is not installed.
    """
    files: dict[str, Content] = {
        "/bin": Symlink("usr/bin"),
        "/sbin": Symlink("usr/sbin"),
        "/etc/group": _GROUP,
        "/etc/nsswitch.conf": b"hosts: files dns\n",
        "/etc/passwd": _PASSWD,
    }
    programs = {f"/usr/bin/{name}": _require(name) for name in _COMMANDS}
    for name, program in _iptables().items():
        # One program is all the commands of a backend: it acts by the name that it is called by.
        programs[f"/usr/sbin/{program.name}"] = program
        files[f"/usr/sbin/{name}"] = Symlink(program.name)
    shared = {path: file for program in programs.values() for path, file in libraries(program).items()}
    return files | programs | shared | _iptables_extensions(shared) | _authorities()


def libraries(program: Path) -> dict[str, Path]:
    """What the dynamic loader needs to start `program`, the loader included; nothing if it is static."""
    listed = subprocess.run(  # noqa: S603 - a program that this machine trusts already
        ["ldd", program],  # noqa: S607 - wherever this machine has it
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        return {}
    found = dict(re.findall(r"^\s*(\S+) => (/\S+) \(", listed.stdout, re.MULTILINE))
    loader: list[str] = re.findall(r"^\s*(/\S+) \(", listed.stdout, re.MULTILINE)
    # Beside the C library the loader looks without a cache, wherever this machine keeps the rest.
    folder = Path(found["libc.so.6"]).parent
    return {str(folder / name): Path(path) for name, path in found.items()} | {path: Path(path) for path in loader}


def _iptables() -> dict[str, Path]:
    """Each command's program; which backends there are differs between distributions."""
    commands = {name: _require(name) for name in _IPTABLES}
    for name in _IPTABLES:
        for backend in _BACKENDS:
            variant = name.replace("tables", f"tables-{backend}")
            if program := _find(variant):
                commands[variant] = program
    return commands


def _iptables_extensions(shared: dict[str, Path]) -> dict[str, Path]:
    """Matches and targets, which iptables loads by name, so that `ldd` does not list them."""
    folders = {file.resolve().parent / "xtables" for path, file in shared.items() if "/libxtables.so" in path}
    return {str(file): file for folder in folders for file in folder.glob("lib[ix][pt]*_*.so")}


def _authorities() -> dict[str, Path]:
    """Public CAs, where Debian keeps them: pilot-agent warns if it finds none."""
    return {str(_CA_BUNDLE): _CA_BUNDLE} if _CA_BUNDLE.exists() else {}


def _require(name: str) -> Path:
    program = _find(name)
    if program is None:
        raise UserError(
            f"There is no `{name}` on this machine for the lab's images",
            "On Debian: apt-get install curl iptables coreutils dash libc-bin.",
        )
    return program


def _find(name: str) -> Path | None:
    found = shutil.which(name, path=ENVIRONMENT["PATH"])
    return Path(found).resolve() if found else None
