"""`python -m ops`: what a person runs against a live mesh."""

import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

import settings
from ops import stack as stacks
from ops.errors import OpsError
from ops.pulumi_cli import PulumiCli
from ops.show import show
from ops.verify import MAX_REQUESTS, MAX_WAIT_SECONDS, Options
from ops.verify import verify as run_verify

_ROOT = Path(__file__).resolve().parents[1]
_FAILED = 1
_LOG_WIDTH = 160
_BAD_USAGE = 2
_INTERRUPTED = 130

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Tools for a live mesh."""


@app.command()
def verify(
    stack: Annotated[str, typer.Option(help="The stack whose Pulumi.<stack>.yaml is read.")],
    requests: Annotated[int, typer.Option(min=100, max=MAX_REQUESTS, help="Requests in each curl loop.")] = 1000,
    wait: Annotated[
        float,
        typer.Option(
            min=0, max=MAX_WAIT_SECONDS, help="Seconds that istiod and the sidecars may take to learn of each other."
        ),
    ] = 30,
    *,
    rancher_token_file: Annotated[
        Path | None, typer.Option(help="A file with Rancher's token; unset: the stack's secret, decrypted by pulumi.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """
    Prove by real traffic that the mesh works, or name the cause why it does not.

    Exits with 0 only if all holds, with 1 if not, with 2 if it could not begin.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        chosen = stacks.load(stack, _ROOT)
        options = Options(
            stack=stack, root=_ROOT, requests=requests, wait_seconds=wait, rancher_token_file=rancher_token_file
        )
        report = run_verify(chosen, options, progress.print)
    except (OpsError, settings.ConfigError) as error:
        progress.print(f"error: {error}", markup=False)
        raise typer.Exit(_BAD_USAGE) from None
    except KeyboardInterrupt:
        progress.print("interrupted")
        raise typer.Exit(_INTERRUPTED) from None
    if json:
        sys.stdout.write(report.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        # Lines in a file or a CI log should stay whole.
        show(report, Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _LOG_WIDTH))
    raise typer.Exit(0 if report.ok else _FAILED)


@app.command()
def recover(
    stack: Annotated[str, typer.Option(help="The stack that a killed `pulumi up` left with pending operations.")],
) -> None:
    """
    Settle what a killed run had begun: look each object up in its cluster, and adopt it or let it go.

    Exits with 0 if nothing is pending any more, with 2 if Pulumi cannot.
    """
    told = Console(stderr=True, highlight=False, soft_wrap=True)
    executable = shutil.which("pulumi")
    if executable is None:
        told.print("error: pulumi is not on the PATH")
        raise typer.Exit(_BAD_USAGE)
    try:
        settled = PulumiCli(executable=executable, stack=stack, root=_ROOT, environment=os.environ).recover()
    except OpsError as error:
        told.print(f"error: {error}", markup=False)
        raise typer.Exit(_BAD_USAGE) from None
    for urn in settled:
        told.print(f"settled: {urn}", markup=False)
    told.print(f"{len(settled)} settled; run `pulumi up` again" if settled else "nothing was pending")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # A SIGTERM deletes the client pods as Ctrl-C does.
    raise KeyboardInterrupt


if __name__ == "__main__":
    app(prog_name="python -m ops")
