"""
The program on the lab: by Pulumi where it can be had, else by the stand-in.

Owns the choice of the engine, Pulumi's backend for the lab, and the secrets that only a running lab has. Knows nothing
of what the program makes.
"""

import importlib.metadata
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.console import Console

import errors
from errors import UserError
from lab import preflight
from lab.machine import files, lock
from lab.rancher import service
from lab.spec import STATE_DIR, existing
from recovery.pulumi_cli import PulumiCli

STACK = "lab"
NAMESPACE = "mcsps"
RANCHER_TOKEN = f"{NAMESPACE}:rancherToken"
ROOT = Path(__file__).resolve().parents[1]
PULUMI_VERSION = importlib.metadata.version("pulumi")
"""One pin for command line and SDK: requirements.txt."""
INSTALLER = "https://get.pulumi.com"
INSTALL_ROOT = ROOT / ".tools" / f"pulumi-{PULUMI_VERSION}"
HOME = STATE_DIR / "pulumi"
PASSPHRASE = HOME / "passphrase"
TEMPORARY = HOME / "tmp"
"""Pulumi's plugins leave kubeconfigs in the folder for temporary files."""
PULUMI_HOME = HOME / "home"
MARK = STATE_DIR / "deployed-by"
"""Which engine made what the lab holds, and of which stack."""
INSTALL_TIMEOUT_SECONDS = 300
ALWAYS_SO_BY_STAND_IN = frozenset({"--diff", "--refresh"})
"""The stand-in asks the clusters each time, and shows each field that differs."""


@dataclass(frozen=True)
class LabStack:
    """A stack of the lab's, as its file has it."""

    name: str
    document: Mapping[str, Any]

    @property
    def needs_rancher(self) -> bool:
        """Whether the file names a Rancher server."""
        return bool(self.document["config"].get(f"{NAMESPACE}:rancher"))


app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
told = Console(stderr=True, highlight=False, soft_wrap=True)


class Command(StrEnum):
    """What to do with the stack."""

    UP = "up"
    PREVIEW = "preview"
    DESTROY = "destroy"


class Engine(StrEnum):
    """Who carries the program out."""

    PULUMI = "pulumi"
    STAND_IN = "stand-in"


def find_pulumi(*, may_install: bool) -> tuple[str | None, str]:
    """Find Pulumi's command line, or install it where a person is there to see it; returns it and the reason."""
    known = shutil.which("pulumi") or shutil.which("pulumi", path=str(INSTALL_ROOT / "bin"))
    if known:
        return known, f"found at {known}"
    if not may_install:
        return None, "pulumi is not on the PATH, and only a person's `make up` tries to install it"
    try:
        install(INSTALLER)
    except (httpx.HTTPError, subprocess.SubprocessError, OSError) as error:
        return None, f"pulumi is not on the PATH, and its installer failed ({type(error).__name__})"
    return str(INSTALL_ROOT / "bin" / "pulumi"), f"installed into {INSTALL_ROOT}"


def install(url: str) -> None:
    """
    Run Pulumi's official installer at the pinned version, into a folder of the project's own.

    Raises:
        httpx.HTTPError: It cannot be fetched.
        subprocess.SubprocessError: It failed.
    """
    told.print(f"installing pulumi {PULUMI_VERSION} from {url} into {INSTALL_ROOT}")
    script = httpx.get(url, follow_redirects=True, timeout=30).raise_for_status().text
    subprocess.run(  # noqa: S603 - the official installer, at a pinned version
        ["/bin/sh", "-s", "--", "--version", PULUMI_VERSION, "--install-root", str(INSTALL_ROOT), "--no-edit-path"],
        input=script.encode(),
        check=True,
        timeout=INSTALL_TIMEOUT_SECONDS,
    )


def a_person_is_there() -> bool:
    """Whether somebody watches: a terminal, and no CI."""
    return sys.stdin.isatty() and os.environ.get("CI") != "true"


def read_stack(name: str) -> LabStack:
    """
    Read a stack file of the lab's.

    Raises:
        UserError: The stack is none of the lab's, its file is not there or holds no config, or it needs a Rancher that
            the lab has not.
    """
    file = ROOT / f"Pulumi.{name}.yaml"
    if name != STACK and not name.startswith(f"{STACK}-"):
        raise UserError(f"Stack {name} is none of the lab's", f"Take {STACK} or {STACK}-..., or plain pulumi")
    if not file.is_file():
        raise UserError(f"There is no stack {name}: {file.name} is missing", f"Write it, or take {STACK}")
    document = yaml.safe_load(file.read_text())
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise UserError(f"{file.name} has no mapping 'config'", f"Write one, as in Pulumi.{STACK}.yaml")
    stack = LabStack(name, document)
    if stack.needs_rancher and not service.is_wanted():
        raise UserError(f"Stack {name} needs a Rancher, which this lab has not", "Run: python -m lab up --rancher")
    return stack


def claim(stack: str) -> Engine | None:
    """
    Find out who made what the lab holds; nobody, if it holds nothing.

    Raises:
        UserError: It is another stack's.
    """
    if not MARK.exists():
        return None
    maker, made = MARK.read_text().split()
    if made != stack:
        raise UserError(
            f"The lab holds stack {made}, and {stack} would make the same objects again",
            f"Run: make down, or python -m lab.deploy destroy --stack {made}",
        )
    return Engine(maker)


def choose(wanted: Engine | None, maker: Engine | None, *, may_install: bool) -> tuple[Engine, str | None]:
    """
    Choose the engine, and say which and why; returns it with Pulumi's path.

    What one engine has made it alone can change, so the `maker` of what the lab holds is chosen again, unasked.

    Raises:
        UserError: Pulumi is wanted and is not to be had, or the other engine's resources are in the lab.
    """
    if wanted and maker and wanted is not maker:
        raise UserError(
            f"The lab holds what the {maker} engine made, and the {wanted} engine would not know it",
            f"Run: make down, or choose that engine: ENGINE={maker} with make, --engine {maker} without",
        )
    chosen, why = wanted or maker, "asked for" if wanted else "it made what the lab holds"
    if chosen is Engine.STAND_IN:
        path, reason = None, why
    else:
        path, reason = find_pulumi(may_install=may_install and not maker)
    if chosen is Engine.PULUMI and not path:
        raise UserError(f"Pulumi is needed ({why}) and is not to be had: {reason}", "Put pulumi on the PATH")
    engine = Engine.PULUMI if path else Engine.STAND_IN
    told.print(f"engine: {engine} ({reason})")
    return engine, path


def pulumi_for_lab(executable: str, stack: LabStack, descriptor: int) -> PulumiCli:
    """
    Prepare Pulumi's backend for the lab: local files, a passphrase made once, no trace in the checkout.

    `pulumi stack select --create` writes the salt into the stack's file, so it gets a project of its own to write to.
    """
    # What is in it is a dead run's: this process holds the lab.
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    files.make_folder(TEMPORARY)
    _make_pulumi_home()
    if not PASSPHRASE.exists():
        files.write(PASSPHRASE, secrets.token_urlsafe(32))
    environment = {
        **os.environ,
        # Without the metadata that is kept beside each file: a kill leaves it empty, and the state unreadable.
        "PULUMI_BACKEND_URL": f"file://{HOME}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(PASSPHRASE),
        "PULUMI_HOME": str(PULUMI_HOME),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TMPDIR": str(TEMPORARY),
    }
    environment.pop("PULUMI_CONFIG_PASSPHRASE", None)
    (HOME / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "mcsps", "runtime": "python"}))
    config_file = HOME / f"Pulumi.{stack.name}.yaml"
    _run_in_home([executable, "stack", "select", stack.name, "--create"], environment)
    salt = {key: value for key, value in yaml.safe_load(config_file.read_text()).items() if key == "encryptionsalt"}
    # Whole or not at all: without its salt the state could not be read any more.
    files.write(config_file, yaml.safe_dump({**stack.document, **salt}))
    if stack.needs_rancher:
        token = service.PLACE.admin_token.read_text()
        command = [executable, "config", "set", "--secret", RANCHER_TOKEN, "--stack", stack.name]
        _run_in_home(command, environment, token)
    return PulumiCli(
        executable=executable,
        stack=stack.name,
        root=ROOT,
        environment=environment,
        config_file=config_file,
        keeps=(descriptor,),
    )


def _make_pulumi_home() -> None:
    """
    Give Pulumi a home that goes with the lab, with the plugins of the user's own.

    Into a folder `logs` there it would log all that it does, by the hundred megabytes. That is most of a run's work,
    and there is no switch (pulumi/pkg/logging, 3.260). Where no such folder can be made it does without.
    """
    plugins = Path(os.environ.get("PULUMI_HOME", "~/.pulumi")).expanduser() / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    files.make_folder(PULUMI_HOME)
    (PULUMI_HOME / "logs").touch()
    link = PULUMI_HOME / "plugins"
    link.unlink(missing_ok=True)
    link.symlink_to(plugins)


def _run_in_home(command: list[str], environment: dict[str, str], given: str | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - a fixed command without a shell
        [*command, "--non-interactive"],
        cwd=HOME,
        env=environment,
        check=False,
        input=given,
        text=True,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        raise UserError(
            f"`pulumi {' '.join(command[1:])}` failed with exit code {done.returncode}",
            "See what it said above; make down removes its state with the lab",
        )


def run_pulumi(cli: PulumiCli, command: Command, arguments: list[str]) -> int:
    """Run Pulumi on the lab; what a killed run left is settled first."""
    if command is Command.PREVIEW:
        return cli.run("preview", *arguments)
    # This process holds the lab, as does every Pulumi it started, so a lock in the backend is a dead one's.
    cli.unlock()
    for urn in cli.recover():
        told.print(f"settled after a killed run: {urn}")
    return cli.run(command, "--yes", "--skip-preview", *arguments)


def run_stand_in(command: Command, stack: LabStack, arguments: list[str], descriptor: int) -> int:
    """Run the stand-in, in a process of its own as Pulumi is."""
    options = [argument for argument in arguments if argument not in ALWAYS_SO_BY_STAND_IN]
    given = ["--secret", f"{RANCHER_TOKEN}={service.PLACE.admin_token}"] if stack.needs_rancher else []
    return subprocess.run(  # noqa: S603 - a fixed command without a shell
        [sys.executable, "-m", "lab.standin", command, "--stack", stack.name, *given, *options],
        cwd=ROOT,
        pass_fds=(descriptor,),
        check=False,
    ).returncode


def carry_out(command: Command, name: str, engine: Engine | None, arguments: list[str]) -> int:
    """
    Hold the lab and run an engine on it; returns the engine's exit code.

    Raises:
        UserError: The lab is down or holds another stack, or the engine is not to be had.
        UserError: What a killed run left cannot be settled.
    """
    preflight.require_root()
    with lock.held() as descriptor:
        if not existing():
            raise UserError("The lab is down", "Run: make up, or python -m lab up for the clusters alone")
        stack = read_stack(name)
        chosen, path = choose(engine, claim(name), may_install=command is Command.UP and a_person_is_there())
        if command is Command.UP:
            files.write(MARK, f"{chosen} {name}")
        code = (
            run_pulumi(pulumi_for_lab(path, stack, descriptor), command, arguments)
            if path
            else run_stand_in(command, stack, arguments, descriptor)
        )
        # What was named on the command line may not be all that there is.
        if command is Command.DESTROY and code == 0 and not arguments:
            MARK.unlink(missing_ok=True)
    return code


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    command: Annotated[Command, typer.Argument(help="What to do with the lab's stack; more options go to the engine.")],
    stack: Annotated[str, typer.Option(help=f"{STACK}, or {STACK}-..., with a file of its own.")] = STACK,
    engine: Annotated[
        Engine | None, typer.Option(help="Unset: whoever made what the lab holds, else pulumi where it can be had.")
    ] = None,
) -> None:
    """Carry the program out on the lab."""
    with errors.reported():
        try:
            code = carry_out(command, stack, engine, context.args)
        except (OSError, yaml.YAMLError) as error:
            raise UserError(str(error)) from None
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m lab.deploy")
