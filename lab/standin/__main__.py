"""The lab's stand-in for Pulumi's engine: it carries out the program here, for the lab's stacks alone."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from errors import ExitCode, UserError
from lab.standin import stack as stacks
from lab.standin.display import Display
from lab.standin.plan import Step
from lab.standin.run import Run, begin
from lab.standin.state import STATE_DIR

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

StackOption = Annotated[str, typer.Option("--stack", help="The stack: lab, or lab-... .")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
SecretOption = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="KEY=FILE",
        help="A secret value of the config, from a file of mode 0600 or stricter; may be given again.",
    ),
]
StateOption = Annotated[Path, typer.Option("--state-dir", help="The folder of the state.")]

_FOLDER = Path()
"""Holds the program and its stack files, as with Pulumi."""


@app.command()
def preview(  # noqa: PLR0913 - one for each option
    *,
    stack: StackOption,
    as_json: JsonOption = False,
    expect_no_changes: Annotated[bool, typer.Option("--expect-no-changes", help="Fail if `up` would change.")] = False,
    policy_packs: Annotated[
        list[str] | None, typer.Option("--policy-pack", help="Not run, and said so: the stand-in knows no policies.")
    ] = None,
    _policy_pack_configs: Annotated[
        list[str] | None, typer.Option("--policy-pack-config", help="Not read: it goes with a pack.")
    ] = None,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Show what `up` would change, field by field; changes nothing."""

    def work(run: Run) -> int:
        for pack in policy_packs or ():
            run.display.note(f"the policy pack {pack} was not run: the stand-in knows no policies, only Pulumi does")
        if not run.preview():
            return ExitCode.FAILED
        is_changed = any(change.step is not Step.SAME for change in run.display.changes)
        return ExitCode.CHANGED if expect_no_changes and is_changed else 0

    _main(stack, state_dir, secret, as_json=as_json, work=work)


@app.command()
def up(
    *,
    stack: StackOption,
    as_json: JsonOption = False,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Carry the program out, wait until all is ready, and delete what the program no longer has."""
    _main(stack, state_dir, secret, as_json=as_json, work=lambda run: 0 if run.up() else ExitCode.FAILED)


@app.command()
def destroy(
    *,
    stack: StackOption,
    as_json: JsonOption = False,
    unprotect: Annotated[bool, typer.Option("--unprotect", help="Delete protected resources too.")] = False,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Delete all that earlier runs made, dependents first."""
    _main(
        stack,
        state_dir,
        secret,
        as_json=as_json,
        work=lambda run: 0 if run.destroy(unprotect=unprotect) else ExitCode.FAILED,
    )


def _main(name: str, state_dir: Path, secrets: list[str] | None, *, as_json: bool, work: Callable[[Run], int]) -> None:
    display = Display(Console(), as_json=as_json)
    logging.getLogger("recorder.program").addHandler(_NoteHandler(display))
    try:
        stack = stacks.load(_FOLDER, name, secrets or ())
        with display, begin(stack, _FOLDER, state_dir, display) as run:
            code = work(run)
    except (UserError, OSError) as error:
        display.finish({}, [str(error)])
        code = ExitCode.FAILED
    except KeyboardInterrupt:
        display.finish({}, ["interrupted: run it again to go on from here"])
        # Threads that still wait for a cluster would hold the process for minutes.
        os._exit(ExitCode.INTERRUPTED)
    raise typer.Exit(code)


class _NoteHandler(logging.Handler):
    """Brings the program's own log to the display."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display.note(record.getMessage())


if __name__ == "__main__":
    app()
