"""`python -m ops`: what a person runs against a live mesh."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

import errors
from errors import ExitCode, UserError
from ops import stack as stacks
from ops.drill.report import DrillReport
from ops.drill.scenario import Death, Scenario, Target
from ops.verify.run import MAX_REQUESTS, MAX_WAIT_SECONDS, Options
from ops.verify.run import verify as run_verify
from ops.verify.table import show
from recovery.pulumi_cli import PulumiCli

_ROOT = Path(__file__).resolve().parents[1]
_LOG_WIDTH = 160

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
    with errors.reported():
        settings = stacks.load(stack, _ROOT)
        options = Options(
            stack=stack, root=_ROOT, requests=requests, wait_seconds=wait, rancher_token_file=rancher_token_file
        )
        report = run_verify(settings, options, progress.print)
    if json:
        sys.stdout.write(report.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        show(report, _console())
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)


@app.command()
def drill(  # noqa: PLR0913 - one for each option
    *,
    stack: Annotated[str, typer.Option(help="The lab's stack: no other is drilled.")],
    cluster: Annotated[
        str | None, typer.Option(help="The cluster that is taken away; unset: the stack's first.")
    ] = None,
    target: Annotated[
        list[Target] | None, typer.Option(help="What of it is taken away; may be given again; unset: each in turn.")
    ] = None,
    death: Annotated[
        list[Death] | None, typer.Option(help="How it dies; may be given again; unset: each in turn.")
    ] = None,
    rate: Annotated[float, typer.Option(min=1, max=20, help="Requests in a second from each source.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="How long each phase lasts at least.")] = 20,
    patience: Annotated[float, typer.Option(min=1, max=300, help="Seconds that the split may take to return.")] = 120,
    picture: Annotated[
        Path | None, typer.Option(help="Also draw the split over time into this file: .svg, .png or .pdf.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """
    Take a cluster of the lab away under traffic, part by part, give it back, and tell how soon the mesh noticed.

    Exits with 0 only if no request failed beyond the bound and every split came back, with 1 if not, with 2 if it could
    not be carried out.
    """
    for number in (signal.SIGHUP, signal.SIGTERM):
        # One that is ignored, as under `nohup`, stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    with errors.reported():
        # Here, for `verify` runs where neither the lab nor a library to draw with is to be had.
        from ops.drill import lab_faults, run  # noqa: PLC0415
        from ops.drill.table import show as show_drill  # noqa: PLC0415

        draw = _drawing(picture)
        settings = stacks.load(stack, _ROOT)
        options = run.Options(
            stack=stack,
            root=_ROOT,
            cluster=cluster,
            scenarios=[Scenario(target=what, death=how) for what in target or Target for how in death or Death],
            rate=rate,
            seconds=seconds,
            patience_seconds=patience,
        )
        with lab_faults.faults(settings) as faults:
            report = run.drill(settings, options, faults, progress.print)
    if json:
        sys.stdout.write(report.model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        show_drill(report, _console())
    with errors.reported():
        try:
            draw(report)
        except OSError as error:
            raise UserError(f"the picture: {error}") from None
    raise typer.Exit(ExitCode.OK if report.ok else ExitCode.FAILED)


@app.command()
def recover(
    stack: Annotated[str, typer.Option(help="The stack that a killed `pulumi up` left with pending operations.")],
) -> None:
    """
    Settle the pending operations of an interrupted update: delete what it had begun to create.

    The next `pulumi up` creates it again. Nothing else is deleted: what was being changed is read from its cluster.

    Exits with 0 if nothing is pending any more, with 2 if Pulumi cannot.
    """
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    with errors.reported():
        executable = shutil.which("pulumi")
        if executable is None:
            raise UserError("pulumi is not on the PATH")
        settled = PulumiCli(executable=executable, stack=stack, root=_ROOT, environment=os.environ).recover()
    for urn in settled:
        progress.print(f"settled: {urn}", markup=False)
    progress.print(f"{len(settled)} settled; run `pulumi up` again" if settled else "nothing was pending")


def _console() -> Console:
    # Lines in a file or a CI log should stay whole.
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _LOG_WIDTH)


def _drawing(path: Path | None) -> Callable[[DrillReport], None]:
    if path is None:
        return lambda _: None
    try:
        from ops.drill import picture  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        raise UserError("--picture needs matplotlib: pip install -r requirements-dev.txt") from None
    picture.check(path)
    return partial(picture.draw, path=path)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # As Ctrl-C does, it deletes the client pods, and gives back what a drill took away.
    raise KeyboardInterrupt


if __name__ == "__main__":
    app(prog_name="python -m ops")
