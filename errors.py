"""How commands fail: one error for the user, what it may show, one table of exit codes, and one handler."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum

SHOWN_MAX = 80
LOCATION_SHOWN_MAX = 255
SECRETS: Mapping[str, re.Pattern[str]] = {
    "a Rancher token": re.compile(r"[-.\w]+:[a-z0-9]{54}(?![a-z0-9])"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a JSON web token": re.compile(r"\beyJ[-\w]{10,}\.[-\w]{10,}\.[-\w]{10,}"),
    "a kubeconfig": re.compile(r"\bclient-key-data\W+[A-Za-z0-9+/]{40}"),
}
"""What certainly is or has a secret, by what it is."""
_DOUBTFUL = re.compile(
    r"-----BEGIN|\beyJ|\bapiVersion\b|\bkind\W+Config\b|(?i:password|token)\W*[:=]"
    # A token with its name; an address with credentials, a query or a fragment.
    r"|(?<!/)\b(token|kubeconfig)-[-.\w]*:\S|:[^\s/]+@(?!sha)|://\S*[@?#]"
    # Letters and digits without a pause, as in keys, passwords and base64.
    r"|(?=[A-Za-z+=]*[0-9])[A-Za-z0-9+=]{24,}"
)
"""What may be a secret, or a part of one."""


def show(got: object, at_most: int = SHOWN_MAX) -> str:
    """
    Quote a value for an error; of one that may be a secret under the wrong key, state only the length.

    Every message that quotes what a user wrote must take it from here.

    Args:
        got: The value.
        at_most: The longest text that is quoted, in characters.
    """
    if isinstance(got, Mapping):
        return "a mapping"
    if isinstance(got, list | tuple):
        return f"a list of {len(got)}"
    text = str(got)
    shown = json.dumps(got) if got is None or isinstance(got, bool) else repr(got)
    is_safe = len(shown) <= at_most and text.isprintable() and not _DOUBTFUL.search(text) and not find_secret(text)
    return shown if is_safe else f"a value of {len(text)} characters"


def show_location(got: object) -> str:
    """Quote a path or an address for an error, as `show` does; these are longer than other values."""
    return show(got, at_most=LOCATION_SHOWN_MAX)


def show_name(name: str) -> str:
    """Name something in an error without quotes; of a name that may be a secret, state only the length."""
    shown = show(name)
    return name if shown == repr(name) else shown


def find_secret(text: str) -> str | None:
    """What a text certainly is or has that must be secret, such as `a Rancher token`; `None` if there is nothing."""
    return next((kind for kind, pattern in SECRETS.items() if pattern.search(text)), None)


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
