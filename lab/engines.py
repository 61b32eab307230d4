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
"""The version of both command line and SDK; requirements.txt pins it."""
INSTALLER = "https://get.pulumi.com"
INSTALL_ROOT = ROOT / ".tools" / f"pulumi-{PULUMI_VERSION}"
INSTALL_TIMEOUT_SECONDS = 300
MARK = STATE_DIR / "deployed-by"
"""The file that names the engine and the stack that are deployed on the lab."""

_progress = Console(stderr=True, highlight=False, soft_wrap=True)


class Engine(StrEnum):
    """The program that runs `__main__.py` and applies its resources."""

    PULUMI = "pulumi"
    STAND_IN = "stand-in"


def find_pulumi(*, may_install: bool) -> tuple[str | None, str]:
    """Return the path of Pulumi's command line and a reason; install it only if a user watches."""
    known = shutil.which("pulumi") or shutil.which("pulumi", path=str(INSTALL_ROOT / "bin"))
    if known:
        return known, f"found at {known}"
    if not may_install:
        return None, "pulumi is not on the PATH, and only an interactive `make up` tries to install it"
    try:
        install(INSTALLER)
    except (httpx.HTTPError, subprocess.SubprocessError, OSError) as error:
        return None, f"pulumi is not on the PATH, and its installer failed ({type(error).__name__})"
    return str(INSTALL_ROOT / "bin" / "pulumi"), f"installed into {INSTALL_ROOT}"


def install(url: str) -> None:
    """
    Run Pulumi's official installer at the pinned version, into a folder of the project.

    Raises:
        httpx.HTTPError: The download failed.
        subprocess.SubprocessError: The installer failed.
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
    """Return whether a user watches: standard input is a terminal, and this is no CI."""
    return sys.stdin.isatty() and os.environ.get("CI") != "true"


def claim(stack: str) -> Engine | None:
    """
    Return the engine that deployed `stack` on the lab; None if the lab holds no stack.

    Raises:
        UserError: The lab holds another stack.
    """
    if not MARK.exists():
        return None
    maker, made = MARK.read_text().split()
    if made != stack:
        raise UserError(
            f"The lab holds stack {made}, and {stack} has the same objects",
            f"Run: make down, or python -m lab.deploy destroy --stack {made}",
        )
    return Engine(maker)


def choose(requested: Engine | None, maker: Engine | None, *, may_install: bool) -> tuple[Engine, str | None]:
    """
    Choose the engine, print it with the reason, and return it with Pulumi's path.

    Only the engine that created resources can change them, so without a request the `maker` is chosen again.

    Raises:
        UserError: Pulumi is requested and not available, or the lab holds the other engine's resources.
    """
    if requested and maker and requested is not maker:
        raise UserError(
            f"The lab holds resources of the {maker} engine, which the {requested} engine does not know",
            f"Run: make down, or use that engine: ENGINE={maker} with make, else --engine {maker}",
        )
    chosen, why = requested or maker, "requested" if requested else "it created the lab's resources"
    if chosen is Engine.STAND_IN:
        path, reason = None, why
    else:
        path, reason = find_pulumi(may_install=may_install and not maker)
    if chosen is Engine.PULUMI and not path:
        raise UserError(f"Pulumi is required ({why}) but not available: {reason}", "Put pulumi on the PATH")
    engine = Engine.PULUMI if path else Engine.STAND_IN
    _progress.print(f"engine: {engine} ({reason})")
    return engine, path
