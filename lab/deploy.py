"""`python -m lab.deploy`: runs the program on the lab, with the engine that `lab.engines` chooses."""

import json
import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import typer
import yaml
from rich.console import Console

import errors
from errors import UserError
from lab import engines, preflight, pulumi_backend
from lab.engines import Engine
from lab.machine import files, lock
from lab.rancher import service
from lab.spec import existing
from lab.stacks import ROOT, STACK, LabStack, read_stack
from recovery.pulumi_cli import PulumiCli

STAND_IN_DEFAULTS = frozenset({"--diff", "--refresh", "--run-program"})
"""Options that the stand-in does not need: it always runs the program, queries the clusters and shows every change."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
progress = Console(stderr=True, highlight=False, soft_wrap=True)


class Command(StrEnum):
    """An operation on the stack."""

    UP = "up"
    PREVIEW = "preview"
    DESTROY = "destroy"


def run_pulumi(cli: PulumiCli, command: Command, arguments: list[str]) -> int:
    """Settle the pending operations of a killed run, then run Pulumi; returns its exit code."""
    if command is Command.PREVIEW:
        return cli.run("preview", *arguments)
    # This process holds the lab, as does every Pulumi that it starts, so a lock in the backend is stale.
    cli.unlock()
    for urn in cli.recover():
        progress.print(f"settled after a killed run: {urn}")
    return cli.run(command, "--yes", "--skip-preview", *arguments)


def run_stand_in(
    command: Command, stack: LabStack, arguments: list[str], descriptor: int, output: int | None = None
) -> int:
    """Run the stand-in in its own process, as Pulumi is; returns its exit code."""
    options = [argument for argument in arguments if argument not in STAND_IN_DEFAULTS]
    given = ["--secret", f"{pulumi_backend.RANCHER_TOKEN}={service.PLACE.admin_token}"] if stack.needs_rancher else []
    for key, value in stack.changes.items():
        given += ["--config", f"{key}={json.dumps(value)}"]
    return subprocess.run(  # noqa: S603 - a fixed command without a shell
        [sys.executable, "-m", "lab.standin", command, "--stack", stack.name, *given, *options],
        cwd=ROOT,
        pass_fds=(descriptor,),
        stdout=output,
        check=False,
    ).returncode


def run(command: Command, name: str, engine: Engine | None, arguments: list[str]) -> int:
    """
    Hold the lab and run an engine on it; return the engine's exit code.

    Raises:
        UserError: The lab is down or holds another stack, the engine is not available, or what an interrupted run left
            cannot be settled.
    """
    preflight.require_root()
    with lock.held() as descriptor:
        if not existing():
            raise UserError("The lab is down", "Run: make up, or for the clusters alone: python -m lab up")
        return deploy(command, read_stack(name), engine, arguments, descriptor)


def deploy(  # noqa: PLR0913, PLR0917 - the command line's, and how the caller holds the lab
    command: Command,
    stack: LabStack,
    engine: Engine | None,
    arguments: list[str],
    descriptor: int,
    output: int | None = None,
) -> int:
    """
    Run an engine on a lab that the caller holds; return the engine's exit code.

    Args:
        command: The operation.
        stack: Its config may differ from the stack file.
        engine: `None` for the one that deployed the stack.
        arguments: Further options for the engine.
        descriptor: The lock of the lab, which the engine inherits.
        output: The file descriptor of the engine's output; `None` for standard output.

    Raises:
        UserError: The lab holds another stack, the engine is not available, or what an interrupted run left cannot be
            settled.
    """
    chosen, path = engines.choose(
        engine, engines.claim(stack.name), may_install=command is Command.UP and engines.is_interactive()
    )
    if command is Command.UP:
        files.write(engines.MARK, f"{chosen} {stack.name}")
    if path:
        code = run_pulumi(pulumi_backend.prepare(path, stack, descriptor, output), command, arguments)
    else:
        code = run_stand_in(command, stack, arguments, descriptor, output)
    # The command line may name fewer clusters than the lab has.
    if command is Command.DESTROY and code == 0 and not arguments:
        engines.MARK.unlink(missing_ok=True)
    return code


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    command: Annotated[Command, typer.Argument(help="The operation. Further options go to the engine.")],
    stack: Annotated[
        str, typer.Option(help=f"{STACK}, or another stack of the lab, whose name starts with {STACK}-.")
    ] = STACK,
    engine: Annotated[
        Engine | None,
        typer.Option(help="Default: the engine that deployed the lab's stack, else pulumi if it is available."),
    ] = None,
) -> None:
    """Run the program on the lab's clusters."""
    with errors.reported():
        try:
            code = run(command, stack, engine, context.args)
        except (OSError, yaml.YAMLError) as error:
            raise UserError(str(error)) from None
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m lab.deploy")
