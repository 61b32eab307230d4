"""Reads a stack's config without a run of Pulumi; the passphrase is needed for a secret alone."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from config.base import NAMESPACE
from config.parsing import parse
from config.schema import Settings
from config.secrets import SECRET_KEYS
from errors import UserError

_PREFIX = f"{NAMESPACE}:"
_PULUMI_TIMEOUT_SECONDS = 60


def load(stack: str, root: Path) -> Settings:
    """
    Read `Pulumi.<stack>.yaml` in `root`, over the defaults of `Pulumi.yaml`.

    Raises:
        UserError: There is no such stack, or its file is not YAML.
        UserError: The values cannot work.
    """
    short = stack.rpartition("/")[2]
    file = root / f"Pulumi.{short}.yaml"
    if not short or not file.is_file():
        there = sorted(
            name.removeprefix("Pulumi.").removesuffix(".yaml")
            for name in (path.name for path in root.glob("Pulumi.*.yaml"))
        )
        known = ", ".join(there) or "none"
        raise UserError(f"there is no stack '{stack}' here: {file.name} is missing; known: {known}")
    project = root / "Pulumi.yaml"
    declared = _config(project) if project.is_file() else {}
    values = {key: _default(value) for key, value in declared.items()} | _config(file)
    return parse(
        {name: _plain(value) for name, value in values.items() if name not in SECRET_KEYS and value is not None}
    )


def secret(stack: str, name: str, root: Path) -> str:
    """
    Decrypt one secret config value.

    Raises:
        UserError: Pulumi is not there, or will not give the value; the value itself is never shown.
    """
    key = f"{_PREFIX}{name}"
    command = ["pulumi", "config", "get", key, "--stack", stack, "--non-interactive"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command without a shell
            command,
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=_PULUMI_TIMEOUT_SECONDS,
        )
    except FileNotFoundError:
        message = f"{key} is a secret, and decrypting it needs `pulumi` on the PATH"
        raise UserError(message) from None
    except subprocess.TimeoutExpired:
        message = f"`{' '.join(command)}` took more than {_PULUMI_TIMEOUT_SECONDS} s"
        raise UserError(message) from None
    except subprocess.CalledProcessError as error:
        # The first line says why; what follows it may be anything that Pulumi had at hand.
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[0]
        raise UserError(f"`{' '.join(command)}` failed: {reason}") from None
    return done.stdout.rstrip("\n")


def _config(file: Path) -> dict[str, object]:
    try:
        document = yaml.safe_load(file.read_text()) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{file.name} is not YAML{place}") from None
    config = (document.get("config") if isinstance(document, dict) else None) or {}
    keys = {str(key): value for key, value in config.items()}
    # Pulumi.yaml leaves the project's own prefix out; a key of another project always has its own.
    return {
        key.removeprefix(_PREFIX): value for key, value in keys.items() if key.startswith(_PREFIX) or ":" not in key
    }


def _default(declared: object) -> object:
    if isinstance(declared, Mapping):
        return declared.get("value", declared.get("default"))
    return declared


def _plain(value: object) -> object:
    """Read a scalar as Pulumi does: `pulumi config set` stores numbers and JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
