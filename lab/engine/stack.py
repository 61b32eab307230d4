"""
What a stack's files say: project, config and nothing secret.

The stand-in runs stacks of the lab alone; it holds no passphrase, so it can read no secret config.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from lab.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.engine.values import Properties


@dataclass(frozen=True)
class Stack:
    """One stack of one project."""

    project: str
    name: str
    config: Mapping[str, str]
    """Full keys; objects as JSON text, as the SDK wants them."""


def load(folder: Path, name: str) -> Stack:
    """
    Read `Pulumi.yaml` and `Pulumi.<name>.yaml`.

    Raises:
        EngineError: not a stack of the lab, secret config, or no valid YAML.
    """
    if name != "lab" and not name.startswith("lab-"):
        raise EngineError(f"stack {name}: the stand-in runs stacks of the lab alone (lab, lab-...): use pulumi")
    project = _read(folder / "Pulumi.yaml")
    own = _read(folder / f"Pulumi.{name}.yaml").get("config") or {}
    declared = {_full(key, project["name"]): value for key, value in (project.get("config") or {}).items()}
    defaults = {
        key: value.get("value", value.get("default"))
        for key, value in declared.items()
        if isinstance(value, dict) and ("value" in value or "default" in value)
    }
    config = {**defaults, **{_full(key, project["name"]): value for key, value in own.items()}}
    for key, value in config.items():
        if _has_secure(value):
            raise EngineError(f"{key} is encrypted (secure:), which the stand-in cannot read: use pulumi")
    _refuse_rancher(config.get(f"{project['name']}:clusters"))
    plain = {key: value for key, value in config.items() if not key.startswith("pulumi:")}
    return Stack(project["name"], name, {key: _text(value) for key, value in plain.items()})


def _read(file: Path) -> Properties:
    try:
        content = yaml.safe_load(file.read_text())
    except FileNotFoundError:
        raise EngineError(f"{file} is not there") from None
    except yaml.YAMLError as error:
        raise EngineError(f"{file} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise EngineError(f"{file} holds no map")
    return content


def _full(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _has_secure(value: Any) -> bool:  # noqa: ANN401 - YAML has no narrower type
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(_has_secure, value.values()))
    return isinstance(value, list) and any(map(_has_secure, value))


def _refuse_rancher(clusters: Any) -> None:  # noqa: ANN401 - the program validates, this only looks
    for cluster in clusters if isinstance(clusters, list) else []:
        access = cluster.get("access") if isinstance(cluster, dict) else None
        kind = access.get("kind", "kubeconfig") if isinstance(access, dict) else "kubeconfig"
        if kind != "kubeconfig":
            name = cluster.get("name", "?")
            raise EngineError(f"cluster {name}: access by {kind} is not supported by the stand-in, use pulumi")
