"""
The program on the lab: by Pulumi where it can be had, else by the stand-in.

Owns the choice of the engine and Pulumi's backend for the lab. Knows nothing of what the program makes.
"""

import os
import secrets
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer
import yaml
from rich.console import Console

from lab import files, lock, preflight
from lab.errors import LabError
from lab.spec import STATE_DIR, existing
from ops.errors import OpsError
from ops.pulumi_cli import PulumiCli

STACK = "lab"
ROOT = Path(__file__).resolve().parents[1]
PULUMI_VERSION = "3.260.0"
INSTALLER = "https://get.pulumi.com"
INSTALL_ROOT = ROOT / ".tools" / f"pulumi-{PULUMI_VERSION}"
HOME = STATE_DIR / "pulumi"
PASSPHRASE = HOME / "passphrase"
TEMPORARY = HOME / "tmp"
"""Pulumi's plugins leave kubeconfigs in the folder for temporary files."""
MARK = STATE_DIR / "deployed-by"
INSTALL_TIMEOUT_SECONDS = 300
ALWAYS_SO_BY_STAND_IN = frozenset({"--diff", "--refresh"})
"""The stand-in asks the clusters each time, and shows each field that differs."""

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


def choose(wanted: Engine | None, *, may_install: bool) -> tuple[Engine, str | None]:
    """
    Choose the engine, and say which and why; returns it with Pulumi's path.

    What one engine has made it alone can change, so whoever made what the lab holds is chosen again, unasked.

    Raises:
        LabError: Pulumi is wanted and is not to be had, or the other engine's resources are in the lab.
    """
    maker = Engine(MARK.read_text().strip()) if MARK.exists() else None
    if wanted and maker and wanted is not maker:
        raise LabError(
            f"The lab holds what the {maker} engine made, and the {wanted} engine would not know it",
            f"Run: make down, or choose that engine: ENGINE={maker} with make, --engine {maker} without",
        )
    chosen, why = wanted or maker, "asked for" if wanted else "it made what the lab holds"
    if chosen is Engine.STAND_IN:
        path, reason = None, why
    else:
        path, reason = find_pulumi(may_install=may_install and not maker)
    if chosen is Engine.PULUMI and not path:
        raise LabError(f"Pulumi is needed ({why}) and is not to be had: {reason}", "Put pulumi on the PATH")
    engine = Engine.PULUMI if path else Engine.STAND_IN
    told.print(f"engine: {engine} ({reason})")
    return engine, path


def pulumi_for_lab(executable: str, descriptor: int) -> PulumiCli:
    """
    Prepare Pulumi's backend for the lab: local files, a passphrase made once, no trace in the checkout.

    `pulumi stack select --create` writes the salt into the stack's file, so it gets a project of its own to write to.
    """
    # What is in it is a dead run's: this process holds the lab.
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    files.make_folder(TEMPORARY)
    if not PASSPHRASE.exists():
        files.write(PASSPHRASE, secrets.token_urlsafe(32))
    environment = {
        **os.environ,
        # Without the metadata that is kept beside each file: a kill leaves it empty, and the state unreadable.
        "PULUMI_BACKEND_URL": f"file://{HOME}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(PASSPHRASE),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "TMPDIR": str(TEMPORARY),
    }
    environment.pop("PULUMI_CONFIG_PASSPHRASE", None)
    (HOME / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "mcsps", "runtime": "python"}))
    config_file = HOME / f"Pulumi.{STACK}.yaml"
    made = subprocess.run(  # noqa: S603 - a fixed command without a shell
        [executable, "stack", "select", STACK, "--create", "--non-interactive"],
        cwd=HOME,
        env=environment,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if made.returncode:
        raise LabError(
            f"`pulumi stack select {STACK} --create` failed with exit code {made.returncode}",
            "See what it said above; make down removes its state with the lab",
        )
    salt = {key: value for key, value in yaml.safe_load(config_file.read_text()).items() if key == "encryptionsalt"}
    config = yaml.safe_load((ROOT / f"Pulumi.{STACK}.yaml").read_text())
    # Whole or not at all: without its salt the state could not be read any more.
    files.write(config_file, yaml.safe_dump({**config, **salt}))
    return PulumiCli(
        executable=executable,
        stack=STACK,
        root=ROOT,
        environment=environment,
        config_file=config_file,
        keeps=(descriptor,),
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


def run_stand_in(command: Command, arguments: list[str], descriptor: int) -> int:
    """Run the stand-in, in a process of its own as Pulumi is."""
    options = [argument for argument in arguments if argument not in ALWAYS_SO_BY_STAND_IN]
    return subprocess.run(  # noqa: S603 - a fixed command without a shell
        [sys.executable, "-m", "lab.engine", command, "--stack", STACK, *options],
        cwd=ROOT,
        pass_fds=(descriptor,),
        check=False,
    ).returncode


def carry_out(command: Command, engine: Engine | None, arguments: list[str]) -> int:
    """
    Hold the lab and run an engine on it; returns the engine's exit code.

    Raises:
        LabError: The lab is down, or the engine is not to be had.
        OpsError: What a killed run left cannot be settled.
    """
    preflight.require_root()
    with lock.held() as descriptor:
        if not existing():
            raise LabError("The lab is down", "Run: make up, or python -m lab up for the clusters alone")
        chosen, path = choose(engine, may_install=command is Command.UP and a_person_is_there())
        if command is Command.UP:
            files.write(MARK, chosen)
        code = (
            run_pulumi(pulumi_for_lab(path, descriptor), command, arguments)
            if path
            else run_stand_in(command, arguments, descriptor)
        )
        if command is Command.DESTROY and code == 0:
            MARK.unlink(missing_ok=True)
    return code


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    command: Annotated[Command, typer.Argument(help="What to do with the lab's stack; more options go to the engine.")],
    engine: Annotated[
        Engine | None, typer.Option(help="Unset: whoever made what the lab holds, else pulumi where it can be had.")
    ] = None,
) -> None:
    """Carry the program out on the lab."""
    try:
        code = carry_out(command, engine, context.args)
    except (LabError, OpsError, OSError, yaml.YAMLError) as error:
        told.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from None
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m lab.deploy")
