"""How commands fail: one error for the user, one table of exit codes, and one handler."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class UserError(Exception):
    """
    Something that the user can fix; shown without a traceback.

    Attributes:
        message: What is wrong, without a full stop. Never holds a secret.
        remedy: What the user can do; empty if the message says it.
        key: The full config key, such as `mcsps:rancher.url`, where the config is wrong.
    """

    def __init__(self, message: str, remedy: str = "", *, key: str | None = None) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy
        self.key = key

    @property
    def problem(self) -> str:
        """The message, after its key if it has one."""
        return f"{self.key}: {self.message}" if self.key else self.message

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}" if self.remedy else self.problem


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    OK = 0
    """The command succeeded."""
    FAILED = 1
    """The command ran, and a check or a change failed."""
    ERROR = 2
    """The command could not run: wrong usage, invalid config, or a machine or a cluster that is not usable."""
    CHANGED = 7
    """`preview --expect-no-changes` found changes. Pulumi uses the same code."""
    INTERRUPTED = 130
    """Ctrl-C, SIGTERM or SIGHUP ended the command."""


@contextmanager
def reported() -> Iterator[None]:
    """
    Show a `UserError` or an interrupt on standard error.

    Raises:
        SystemExit: With the exit code.
    """
    try:
        yield
    except UserError as error:
        print_error(error)
        raise SystemExit(ExitCode.ERROR) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise SystemExit(ExitCode.INTERRUPTED) from None


def print_error(error: UserError) -> None:
    """Write the problem and, on the next line, the remedy."""
    sys.stderr.write(f"error: {error.problem}\n")
    if error.remedy:
        sys.stderr.write(f"{error.remedy}\n")
