"""Runs the machine's own short commands (`ip`, `mount`, `ctr`) and turns failure into UserError."""

import re
import subprocess
from collections.abc import Sequence

from errors import UserError

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
"""All that lab processes inherit: a proxy or a KUBECONFIG of the person's must not reach them."""

_DISK_FULL = re.compile("no space left on device|disk quota exceeded", re.IGNORECASE)


def run(*argv: str, timeout_seconds: float = 60) -> str:
    """Run a command and return its standard output; UserError carries what it said on failure."""
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
        raise UserError(f"There is no command {argv[0]}", "Install it, then try again") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"`{' '.join(argv)}` did not end within {timeout_seconds:.0f} s",
            "Try again; python -m lab down clears a half-made lab",
        ) from error
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise UserError(
            f"`{' '.join(argv)}` failed: {said}",
            remedy(said, "Try again; python -m lab down clears a half-made lab"),
        )
    return done.stdout


def remedy(said: str, otherwise: str) -> str:
    """Tell what to do about a program that failed: a full disk shows in what it said, whatever program it was."""
    return "Free some disk space (see: df -h), then try again" if _DISK_FULL.search(said) else otherwise


def inside(net: str | None, mount: str | None, argv: Sequence[str]) -> tuple[str, ...]:
    """
    Return `argv` prefixed so that it runs in those namespaces (files, as `nsenter` takes them).

    `ip netns exec` will not do: it mounts a new /sys, in which the kubelet finds no cgroups.
    """
    flags = [f"--net={net}"] if net else []
    flags += [f"--mount={mount}"] if mount else []
    return ("nsenter", *flags, "--", *argv)
