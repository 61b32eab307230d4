"""How commands fail: one error for the user, one table of exit codes, one handler."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class UserError(Exception):
    """
    Something that the user can fix; shown without a traceback.

    Attributes:
        message: What is wrong, without a full stop. Never holds a secret.
        remedy: What to do about it; empty where the message says it.
        key: The full config key, such as `mcsps:rancher.url`, where the config is wrong.
    """

    def __init__(self, message: str, remedy: str = "", *, key: str | None = None) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy
        self.key = key

    @property
    def problem(self) -> str:
        """The message after its key."""
        return f"{self.key}: {self.message}" if self.key else self.message

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}" if self.remedy else self.problem


class ExitCode(IntEnum):
    """What the exit code of a command means."""

    OK = 0
    """It did what it is for."""
    FAILED = 1
    """It ran, and what it checks or changes does not hold."""
    ERROR = 2
    """It could not do it: wrong usage, wrong config, or a machine or a cluster that cannot be used."""
    CHANGED = 7
    """`preview --expect-no-changes` found changes; Pulumi's own code."""
    INTERRUPTED = 130
    """Ctrl-C, SIGTERM or SIGHUP ended it."""


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
    """Write what is wrong, and on a line of its own what to do."""
    sys.stderr.write(f"error: {error.problem}\n")
    if error.remedy:
        sys.stderr.write(f"{error.remedy}\n")
