"""
The commands that the user runs against a live mesh.

Each command imports what it needs itself: `--help` loads no SDK, and `verify` runs where neither the lab nor
matplotlib is installed.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import errors
from errors import ExitCode, UserError
from ops.drill.scenario import FailureMode, ScenarioKind, Target, select
from ops.verify.options import MAX_REQUESTS, MAX_WAIT_SECONDS, MIN_REQUESTS, Options

if TYPE_CHECKING:
    from ops.drill.report import DrillReport

_ROOT = Path(__file__).resolve().parents[1]
_LOG_WIDTH = 160

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Tools for a live mesh."""


@app.command()
def verify(
    stack: Annotated[str, typer.Option(help="The stack whose Pulumi.<stack>.yaml is read.")],
    requests: Annotated[
        int, typer.Option(min=MIN_REQUESTS, max=MAX_REQUESTS, help="Requests in each request loop.")
    ] = 1000,
    wait: Annotated[
        float,
        typer.Option(
            min=0, max=MAX_WAIT_SECONDS, help="Seconds that istiod and the sidecars may take to learn of each other."
        ),
    ] = 30,
    *,
    rancher_token_file: Annotated[
        Path | None,
        typer.Option(help="A file with Rancher's token. Default: the stack's secret, which pulumi decrypts."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """
    Prove by real traffic that the mesh works, or name the cause why it does not.

    Exits with 0 if every check passes, with 1 if one fails, with 2 if it cannot start.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with errors.reported():
        from ops import stack as stacks  # noqa: PLC0415 - see the module's docstring
        from ops.verify import run, table  # noqa: PLC0415

        settings = stacks.load(stack, _ROOT)
        options = Options(
            stack=stack, root=_ROOT, requests=requests, wait_seconds=wait, rancher_token_file=rancher_token_file
        )
        report = run.verify(settings, options, _progress().print)
    if json:
        sys.stdout.write(report.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        table.show(report, _console())
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)


@app.command()
def drill(  # noqa: PLR0913 - one for each option
    *,
    stack: Annotated[str, typer.Option(help="The lab's stack; the drill refuses any other.")],
    cluster: Annotated[
        str | None, typer.Option(help="The cluster to take down. Default: the first one of the stack.")
    ] = None,
    scenario: Annotated[
        ScenarioKind,
        typer.Option(
            help="failover: the mesh reacts by itself. away: an `up` with `away: true` for the whole cluster moves the "
            "traffic, and another `up` moves it back."
        ),
    ] = ScenarioKind.FAILOVER,
    target: Annotated[
        list[Target] | None,
        typer.Option(
            help="The part of the cluster to take down. Repeat it for several. Default: each one in turn. "
            "Scenario away takes the node down."
        ),
    ] = None,
    failure_mode: Annotated[
        list[FailureMode] | None,
        typer.Option(
            help="How the part fails: connections are reset, or packets vanish. Repeat it for both. Default: both."
        ),
    ] = None,
    rate: Annotated[float, typer.Option(min=1, max=20, help="Requests per second from each source.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Shortest length of each phase, in seconds.")] = 20,
    return_within: Annotated[
        float, typer.Option(min=1, max=300, help="Seconds that the configured split may take to return.")
    ] = 120,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the split over time into this file: .svg, .png or .pdf.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """
    Take down a cluster of the lab under traffic, part by part, restore it, and measure how soon the mesh reacts.

    Exits with 0 if no request fails beyond the bound, or in scenario away after the `up`, and every split returns; with
    1 if not, with 2 if the drill cannot run.
    """
    for number in (signal.SIGHUP, signal.SIGTERM):
        # Keep a signal ignored that is ignored already, as under `nohup`.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    with errors.reported():
        from ops import stack as stacks  # noqa: PLC0415 - see the module's docstring
        from ops.drill import lab_faults, run, table  # noqa: PLC0415

        draw = _drawing(picture)
        settings = stacks.load(stack, _ROOT)
        options = run.Options(
            stack=stack,
            root=_ROOT,
            cluster=cluster,
            scenarios=select(scenario, target, failure_mode),
            rate=rate,
            seconds=seconds,
            return_seconds=return_within,
        )
        with lab_faults.held(settings) as lab:
            updates = lab.updates(stack) if scenario is ScenarioKind.AWAY else None
            report = run.drill(settings, options, lab.faults, _progress().print, updates)
    if json:
        sys.stdout.write(report.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        table.show(report, _console())
    with errors.reported():
        try:
            draw(report)
        except OSError as error:
            raise UserError(f"the picture cannot be written: {error}", "Name another file with --picture") from None
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)


@app.command()
def recover(
    stack: Annotated[str, typer.Option(help="The stack that a killed `pulumi up` left with pending operations.")],
) -> None:
    """
    Settle the pending operations of an interrupted update: delete what it had begun to create.

    The next `pulumi up` creates it again. Nothing else is deleted; what was being changed is read from its cluster.

    Exits with 0 if nothing is pending any more, with 2 if Pulumi fails.
    """
    with errors.reported():
        from recovery.pulumi_cli import PulumiCli  # noqa: PLC0415 - see the module's docstring

        executable = shutil.which("pulumi")
        if executable is None:
            raise UserError("pulumi is not on the PATH", "Install it, or add its folder to the PATH")
        settled = PulumiCli(executable=executable, stack=stack, root=_ROOT, environment=os.environ).recover()
    progress = _progress()
    for urn in settled:
        progress.print(f"settled: {urn}", markup=False)
    progress.print(f"{len(settled)} settled; run `pulumi up` again" if settled else "nothing was pending")


def _progress() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def _console() -> Console:
    # Lines in a file or a CI log stay whole.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _LOG_WIDTH)


def _drawing(path: Path | None) -> "Callable[[DrillReport], None]":
    if path is None:
        return lambda _: None
    try:
        from ops.drill import picture  # noqa: PLC0415 - see the module's docstring
    except ModuleNotFoundError:
        raise UserError("--picture needs matplotlib", "Install it: pip install -r requirements-dev.txt") from None
    picture.check(path)
    return partial(picture.draw, path=path)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # As Ctrl-C does: the client pods are deleted, and what a drill took down is restored.
    raise KeyboardInterrupt
