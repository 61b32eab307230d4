"""Runs the machine's short commands (`ip`, `mount`, `ctr`) and raises UserError if one fails."""

import re
import subprocess
from collections.abc import Sequence

from errors import UserError

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
"""The whole environment of a lab process: the user's proxy settings and KUBECONFIG must not reach it."""

_DISK_FULL = re.compile("no space left on device|disk quota exceeded", re.IGNORECASE)


def run(*argv: str, timeout_seconds: float = 60) -> str:
    """
    Run a command and return its standard output.

    Raises:
        UserError: The command is missing, fails or times out; the message quotes its output.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the lab's own commands, no person's text
            argv,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
        )
    except FileNotFoundError as error:
        raise UserError(f"The command {argv[0]} is not installed", "Install it, then retry") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"`{' '.join(argv)}` did not finish within {timeout_seconds:.0f} s",
            "Retry; `python -m lab down` removes an incomplete lab",
        ) from error
    if done.returncode:
        output = done.stderr.strip() or done.stdout.strip()
        raise UserError(
            f"`{' '.join(argv)}` failed: {output}",
            remedy(output, "Retry; `python -m lab down` removes an incomplete lab"),
        )
    return done.stdout


def remedy(output: str, otherwise: str) -> str:
    """Return what to do about a failed program: free disk space if its output names a full disk, else `otherwise`."""
    return "Free some disk space (check with df -h), then retry" if _DISK_FULL.search(output) else otherwise


def inside(net: str | None, mount: str | None, argv: Sequence[str]) -> tuple[str, ...]:
    """
    Return `argv` with the prefix that runs it in these namespaces (paths, as `nsenter` takes them).

    `ip netns exec` does not work here: it mounts a new /sys, in which the kubelet finds no cgroups.
    """
    flags = [f"--net={net}"] if net else []
    flags += [f"--mount={mount}"] if mount else []
    return ("nsenter", *flags, "--", *argv)
