"""The command line of the lab's stand-in for Pulumi's engine, which runs only the lab's stacks."""

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
    from collections.abc import Callable, Sequence

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

StackOption = Annotated[str, typer.Option("--stack", help="The stack: lab or lab-...")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
SecretOption = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="KEY=FILE",
        help="A secret config value, from a file of mode 0600 or stricter. Repeatable.",
    ),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        metavar="KEY=VALUE",
        help="A config value in place of the stack file's, as text or JSON. The file stays as it is. Repeatable.",
    ),
]
StateOption = Annotated[Path, typer.Option("--state-dir", help="The folder of the state files.")]

_FOLDER = Path()
"""The folder of the program and its stack files: the current one, as with Pulumi."""


@app.command()
def preview(  # noqa: PLR0913 - one for each option
    *,
    stack: StackOption,
    as_json: JsonOption = False,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="Fail if `up` would change anything.")
    ] = False,
    policy_packs: Annotated[
        list[str] | None, typer.Option("--policy-pack", help="Reported, but not run: the stand-in has no policies.")
    ] = None,
    _policy_pack_configs: Annotated[
        list[str] | None, typer.Option("--policy-pack-config", help="Not read, because no policy pack runs.")
    ] = None,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Show what `up` would change, field by field, without changing it."""

    def work(run: Run) -> int:
        for pack in policy_packs or ():
            run.display.note(f"the policy pack {pack} was not run: only Pulumi runs policies, the stand-in does not")
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
    config: ConfigOption = None,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Run the program, wait until its resources are ready, and delete those that it no longer declares."""
    _main(
        stack,
        state_dir,
        secret,
        config or (),
        as_json=as_json,
        work=lambda run: 0 if run.up() else ExitCode.FAILED,
    )


@app.command()
def destroy(
    *,
    stack: StackOption,
    as_json: JsonOption = False,
    unprotect: Annotated[bool, typer.Option("--unprotect", help="Delete protected resources as well.")] = False,
    secret: SecretOption = None,
    state_dir: StateOption = STATE_DIR,
) -> None:
    """Delete the resources of earlier runs, dependents first."""
    _main(
        stack,
        state_dir,
        secret,
        as_json=as_json,
        work=lambda run: 0 if run.destroy(unprotect=unprotect) else ExitCode.FAILED,
    )


def _main(  # noqa: PLR0913 - one for each option, and the command
    name: str,
    state_dir: Path,
    secrets: list[str] | None,
    changes: Sequence[str] = (),
    *,
    as_json: bool,
    work: Callable[[Run], int],
) -> None:
    display = Display(Console(), as_json=as_json)
    logging.getLogger("recorder.program").addHandler(_NoteHandler(display))
    try:
        stack = stacks.load(_FOLDER, name, secrets or (), changes)
        with display, begin(stack, _FOLDER, state_dir, display) as run:
            code = work(run)
    except (UserError, OSError) as error:
        display.finish({}, [str(error)])
        code = ExitCode.FAILED
    except KeyboardInterrupt:
        display.finish({}, ["interrupted: run it again to continue"])
        # Threads that wait for a cluster would keep the process alive for minutes.
        os._exit(ExitCode.INTERRUPTED)
    raise typer.Exit(code)


class _NoteHandler(logging.Handler):
    """Shows the program's log on the display."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.INFO)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display.note(record.getMessage())


if __name__ == "__main__":
    app()
