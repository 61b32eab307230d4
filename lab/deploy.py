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

from lab import files, lock
from lab.errors import LabError
from lab.spec import STATE_DIR
from ops.errors import OpsError
from ops.pulumi_cli import PulumiCli

STACK = "lab"
ROOT = Path(__file__).resolve().parents[1]
PULUMI_VERSION = "3.260.0"
INSTALLER = "https://get.pulumi.com"
INSTALL_ROOT = ROOT / ".tools" / "pulumi"
HOME = STATE_DIR / "pulumi"
PASSPHRASE = HOME / "passphrase"
MARK = STATE_DIR / "deployed-by"
INSTALL_TIMEOUT_SECONDS = 300

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


def choose(wanted: Engine | None) -> tuple[Engine, str | None]:
    """
    Choose the engine, and say which and why; returns it with Pulumi's path.

    Raises:
        LabError: Pulumi is wanted and is not to be had, or the other engine's resources are in the lab.
    """
    if wanted is Engine.STAND_IN:
        path, reason = None, "asked for"
    else:
        path, reason = find_pulumi(may_install=a_person_is_there())
    engine = Engine.PULUMI if path else Engine.STAND_IN
    if wanted and wanted is not engine:
        raise LabError(f"Pulumi was asked for and is not to be had: {reason}", "Put pulumi on the PATH")
    before = MARK.read_text().strip() if MARK.exists() else engine
    if before != engine:
        raise LabError(
            f"The lab holds what the {before} engine made, and the {engine} engine would not know it",
            f"Run: make down, or choose: --engine {before}",
        )
    told.print(f"engine: {engine} ({reason})")
    return engine, path


def pulumi_for_lab(executable: str, descriptor: int) -> PulumiCli:
    """
    Prepare Pulumi's backend for the lab: local files, a passphrase made once, no trace in the checkout.

    `pulumi stack select --create` writes the salt into the stack's file, so it gets a project of its own to write to.
    """
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not PASSPHRASE.exists():
        files.write(PASSPHRASE, secrets.token_urlsafe(32))
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{HOME}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(PASSPHRASE),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
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
    return subprocess.run(  # noqa: S603 - a fixed command without a shell
        [sys.executable, "-m", "lab.engine", command, "--stack", STACK, *arguments],
        cwd=ROOT,
        pass_fds=(descriptor,),
        check=False,
    ).returncode


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    command: Annotated[Command, typer.Argument(help="What to do with the lab's stack; more options go to the engine.")],
    engine: Annotated[Engine | None, typer.Option(help="Unset: pulumi where it can be had.")] = None,
) -> None:
    """Carry the program out on the lab."""
    try:
        with lock.held() as descriptor:
            chosen, path = choose(engine)
            if command is Command.UP:
                MARK.write_text(chosen)
            code = (
                run_pulumi(pulumi_for_lab(path, descriptor), command, context.args)
                if path
                else run_stand_in(command, context.args, descriptor)
            )
            if command is Command.DESTROY and code == 0:
                MARK.unlink(missing_ok=True)
    except (LabError, OpsError) as error:
        told.print(f"error: {error}", markup=False)
        raise typer.Exit(2) from None
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m lab.deploy")
