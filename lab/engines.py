"""Which engine runs the program on the lab: Pulumi where it is available, else the stand-in."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from enum import StrEnum

import httpx
from rich.console import Console

from errors import UserError
from lab.spec import STATE_DIR
from lab.stacks import ROOT

PULUMI_VERSION = importlib.metadata.version("pulumi")
"""One pin for command line and SDK: requirements.txt."""
INSTALLER = "https://get.pulumi.com"
INSTALL_ROOT = ROOT / ".tools" / f"pulumi-{PULUMI_VERSION}"
INSTALL_TIMEOUT_SECONDS = 300
MARK = STATE_DIR / "deployed-by"
"""Which engine made what the lab holds, and of which stack."""

_progress = Console(stderr=True, highlight=False, soft_wrap=True)


class Engine(StrEnum):
    """Who carries the program out."""

    PULUMI = "pulumi"
    STAND_IN = "stand-in"


def find_pulumi(*, may_install: bool) -> tuple[str | None, str]:
    """Find Pulumi's command line, or install it where a person is there to see it; returns it and the reason."""
    known = shutil.which("pulumi") or shutil.which("pulumi", path=str(INSTALL_ROOT / "bin"))
    if known:
        return known, f"found at {known}"
    if not may_install:
        return None, "pulumi is not on the PATH, and only a person's `make up` tries to install it"
    try:
        install(INSTALLER)
    except (httpx.HTTPError, subprocess.SubprocessError, OSError) as error:
        return None, f"pulumi is not on the PATH, and its installer failed ({type(error).__name__})"
    return str(INSTALL_ROOT / "bin" / "pulumi"), f"installed into {INSTALL_ROOT}"


def install(url: str) -> None:
    """
    Run Pulumi's official installer at the pinned version, into a folder of the project's own.

    Raises:
        httpx.HTTPError: It cannot be fetched.
        subprocess.SubprocessError: It failed.
    """
    _progress.print(f"installing pulumi {PULUMI_VERSION} from {url} into {INSTALL_ROOT}")
    script = httpx.get(url, follow_redirects=True, timeout=30).raise_for_status().text
    subprocess.run(  # noqa: S603 - the official installer, at a pinned version
        ["/bin/sh", "-s", "--", "--version", PULUMI_VERSION, "--install-root", str(INSTALL_ROOT), "--no-edit-path"],
        input=script.encode(),
        check=True,
        timeout=INSTALL_TIMEOUT_SECONDS,
    )


def is_interactive() -> bool:
    """Whether somebody watches: a terminal, and no CI."""
    return sys.stdin.isatty() and os.environ.get("CI") != "true"


def claim(stack: str) -> Engine | None:
    """
    Find out who made what the lab holds; nobody, if it holds nothing.

    Raises:
        UserError: It is another stack's.
    """
    if not MARK.exists():
        return None
    maker, made = MARK.read_text().split()
    if made != stack:
        raise UserError(
            f"The lab holds stack {made}, and {stack} would make the same objects again",
            f"Run: make down, or python -m lab.deploy destroy --stack {made}",
        )
    return Engine(maker)


def choose(wanted: Engine | None, maker: Engine | None, *, may_install: bool) -> tuple[Engine, str | None]:
    """
    Choose the engine, and say which and why; returns it with Pulumi's path.

    What one engine has made it alone can change, so the `maker` of what the lab holds is chosen again, unasked.

    Raises:
        UserError: Pulumi is wanted and is not to be had, or the other engine's resources are in the lab.
    """
    if wanted and maker and wanted is not maker:
        raise UserError(
            f"The lab holds what the {maker} engine made, and the {wanted} engine would not know it",
            f"Run: make down, or choose that engine: ENGINE={maker} with make, --engine {maker} without",
        )
    chosen, why = wanted or maker, "asked for" if wanted else "it made what the lab holds"
    if chosen is Engine.STAND_IN:
        path, reason = None, why
    else:
        path, reason = find_pulumi(may_install=may_install and not maker)
    if chosen is Engine.PULUMI and not path:
        raise UserError(f"Pulumi is needed ({why}) and is not to be had: {reason}", "Put pulumi on the PATH")
    engine = Engine.PULUMI if path else Engine.STAND_IN
    _progress.print(f"engine: {engine} ({reason})")
    return engine, path
