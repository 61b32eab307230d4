"""The lab's stand-in for Pulumi's engine: it carries out the program here, for the lab's stacks alone."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from lab.engine import stack as stacks
from lab.engine.display import Display
from lab.engine.errors import EngineError
from lab.engine.plan import Step
from lab.engine.run import Run, begin
from lab.engine.state import STATE_DIR

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
_INTERRUPTED = 130


@app.command()
def preview(
    *,
    stack: StackOption,
    as_json: JsonOption = False,
    expect_no_changes: Annotated[bool, typer.Option("--expect-no-changes", help="Fail if `up` would change.")] = False,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Show what `up` would change, field by field; changes nothing."""

    def work(run: Run) -> bool:
        is_well = run.preview()
        return is_well and not (
            expect_no_changes and any(change.step is not Step.SAME for change in run.display.changes)
        )

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
    _main(stack, state_dir, secret, as_json=as_json, work=lambda run: run.up())


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
    _main(stack, state_dir, secret, as_json=as_json, work=lambda run: run.destroy(unprotect=unprotect))


def _main(name: str, state_dir: Path, secrets: list[str] | None, *, as_json: bool, work: Callable[[Run], bool]) -> None:
    display = Display(Console(), as_json=as_json)
    logging.getLogger("lab.engine.program").addHandler(_NoteHandler(display))
    try:
        stack = stacks.load(_FOLDER, name, secrets or ())
        with display, begin(stack, _FOLDER, state_dir, display) as run:
            is_well = work(run)
    except (EngineError, OSError) as error:
        display.finish({}, [str(error)])
        is_well = False
    except KeyboardInterrupt:
        display.finish({}, ["interrupted: run it again to go on from here"])
        # Threads that still wait for a cluster would hold the process for minutes.
        os._exit(_INTERRUPTED)
    raise typer.Exit(0 if is_well else 1)


class _NoteHandler(logging.Handler):
    """Brings the program's own log to the display."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display.note(record.getMessage())


if __name__ == "__main__":
    app()
