"""Reads a stack's config without running Pulumi; only a secret needs the passphrase."""

import subprocess
from pathlib import Path
from typing import Any

from config.base import NAMESPACE
from config.parsing import parse
from config.schema import Settings
from config.secrets import SECRET_KEYS
from config.stackfiles import declared_value, read_config, read_value
from errors import UserError

_PREFIX = f"{NAMESPACE}:"
_PULUMI_TIMEOUT_SECONDS = 60


def load(stack: str, root: Path) -> Settings:
    """
    Read and check `Pulumi.<stack>.yaml` in `root`, over the defaults of `Pulumi.yaml`.

    Raises:
        UserError: There is no such stack, or its file cannot be read.
        UserError: The values cannot work.
    """
    return parse(read(stack, root))


def read(stack: str, root: Path) -> dict[str, Any]:
    """
    Read the plain values by key, without the prefix and without the secrets; they are not checked.

    Raises:
        UserError: There is no such stack, or its file cannot be read.
    """
    short = stack.rpartition("/")[2]
    file = root / f"Pulumi.{short}.yaml"
    if not short or not file.is_file():
        present = sorted(
            name.removeprefix("Pulumi.").removesuffix(".yaml")
            for name in (path.name for path in root.glob("Pulumi.*.yaml"))
        )
        known = ", ".join(present) or "none"
        raise UserError(f"there is no stack '{stack}' here: {file.name} is missing", f"Name one of these: {known}")
    project = root / "Pulumi.yaml"
    declared = _config(project) if project.is_file() else {}
    values = {key: declared_value(value) for key, value in declared.items()} | _config(file)
    return {name: read_value(value) for name, value in values.items() if name not in SECRET_KEYS and value is not None}


def secret(stack: str, name: str, root: Path) -> str:
    """
    Decrypt one secret config value.

    Raises:
        UserError: Pulumi is not installed, or does not decrypt the value, which is never shown.
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
        raise UserError(
            f"{key} is a secret, and only Pulumi decrypts it; it is not on the PATH",
            "Install it, or use --rancher-token-file",
        ) from None
    except subprocess.TimeoutExpired:
        raise UserError(f"`{' '.join(command)}` took more than {_PULUMI_TIMEOUT_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        # The first line has the reason; the others may quote anything.
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[0]
        raise UserError(f"`{' '.join(command)}` failed: {reason}") from None
    return done.stdout.rstrip("\n")


def _config(file: Path) -> dict[str, object]:
    # Pulumi.yaml leaves out the project's own prefix; a key of another project always has one.
    return {
        key.removeprefix(_PREFIX): value
        for key, value in read_config(file).items()
        if key.startswith(_PREFIX) or ":" not in key
    }
