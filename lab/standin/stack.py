"""
Reads the project and the config of a stack; secret config comes from separate files.

The stand-in runs only stacks of the lab. It has no passphrase, so it cannot read encrypted config.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config.stackfiles import config_of, declared_value, read_config, read_document
from errors import UserError, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OWNERS_ALONE: Final = 0o600


@dataclass(frozen=True)
class Stack:
    """One stack of one project, with its config."""

    project: str
    name: str
    config: Mapping[str, str]
    """The plain config by full key; objects are JSON text, as the SDK expects."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The secret config, in the same form."""


def load(folder: Path, name: str, secret_files: Iterable[str] = (), changes: Iterable[str] = ()) -> Stack:
    """
    Read `Pulumi.yaml`, `Pulumi.<name>.yaml` and the secret files.

    Args:
        folder: The folder of the two files.
        name: The name of the stack.
        secret_files: `KEY=FILE` for each secret config key.
        changes: `KEY=VALUE` for each config value in place of the file's.

    Raises:
        UserError: The stack is not for the lab, a file cannot be read, or a secret is encrypted or readable by
            others.
    """
    if name != "lab" and not name.startswith("lab-"):
        raise UserError(f"stack {name}: the stand-in runs only stacks of the lab (lab, lab-...)", "Use pulumi")
    project_file = folder / "Pulumi.yaml"
    document = read_document(project_file)
    project = document.get("name")
    if not isinstance(project, str):
        raise UserError(f"{project_file.name}: name: got {show(project)}; allowed: the name of the project")
    declared = {_full(key, project): declared_value(value) for key, value in config_of(project_file, document).items()}
    config = {
        **{key: value for key, value in declared.items() if value is not None},
        **{_full(key, project): value for key, value in read_config(folder / f"Pulumi.{name}.yaml").items()},
        **dict(_read_change(text, project) for text in changes),
    }
    secrets = dict(_read_secret(text, project) for text in secret_files)
    for key, value in config.items():
        if _has_secure(value) and key not in secrets:
            raise UserError(
                f"{key} is encrypted (secure:), which the stand-in cannot read",
                f"Use pulumi, or pass the value in a file: --secret {key}=FILE",
            )
    plain = {key: value for key, value in config.items() if not key.startswith("pulumi:") and key not in secrets}
    return Stack(project, name, {key: _text(value) for key, value in plain.items()}, secrets)


def _read_change(text: str, project: str) -> tuple[str, str]:
    key, is_given, value = text.partition("=")
    if not (key and is_given):
        raise UserError("--config: the value is not KEY=VALUE", "Pass it as in mcsps:v2Weight=20")
    return _full(key, project), value


def _read_secret(text: str, project: str) -> tuple[str, str]:
    """Read one secret; errors do not quote `text`, because the user may have passed the secret itself."""
    key, is_given, file = text.partition("=")
    if not (key and is_given and file):
        raise UserError("--secret: the value is not KEY=FILE", "Pass it as in mcsps:rancherToken=/root/token")
    key = _full(key, project)
    try:
        with Path(file).expanduser().open() as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if mode & ~_OWNERS_ALONE:
                raise UserError(
                    f"--secret {key}: {file} has mode {mode:04o}; allowed: 0600 or stricter",
                    f"Run: chmod 600 {file}",
                )
            secret = opened.read().removesuffix("\n")
    except OSError as error:
        raise UserError(f"--secret {key}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"--secret {key}: {file} is not text") from None
    if not secret:
        raise UserError(f"--secret {key}: {file} is empty")
    return key, secret


def _full(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has_secure(value: Any) -> bool:  # noqa: ANN401 - YAML has no narrower type
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(_has_secure, value.values()))
    return isinstance(value, list) and any(map(_has_secure, value))
