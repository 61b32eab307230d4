"""
The reader of Pulumi.yaml and the stack files, for every command but Pulumi's own.

It reads YAML 1.2 as Pulumi does: `1:30`, `yes` and `on` are texts, and a key that is there twice is an error.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from errors import UserError, show, show_name

_DUPLICATE = re.compile(r'found duplicate key "([^"\n]*)"')


def read_document(file: Path) -> dict[str, Any]:
    """
    Read a YAML file that holds a mapping of strings, numbers, booleans, lists and mappings.

    An empty file is an empty mapping.

    Raises:
        UserError: The file cannot be read, or is anything else. The message is one line and quotes no value.
    """
    try:
        document = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{file.name} is not text in UTF-8", "Save it in this encoding") from None
    except RecursionError:
        raise UserError(f"{file.name} is nested too deeply", "Indent it like the other stack files") from None
    except (YAMLError, ValueError) as error:
        raise UserError(f"{file.name} {_fault(error)}", "Correct it") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UserError(f"{file.name} has {show(document)}; allowed: a mapping")
    _check(file.name, "", document)
    return document


def read_config(file: Path) -> dict[str, Any]:
    """
    Read the mapping `config` of a file; a file without it has an empty one.

    Raises:
        UserError: As `read_document`, or `config` is not a mapping.
    """
    return config_of(file, read_document(file))


def config_of(file: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the mapping `config` of a document that was read from a file; a document without it has an empty one.

    Raises:
        UserError: `config` is not a mapping.
    """
    config = document.get("config")
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise UserError(f"{file.name}: config: got {show(config)}; allowed: a mapping of keys such as mcsps:v2Weight")
    return config


def declared_value(declared: object) -> object:
    """The value or the default of a key that Pulumi.yaml declares; `None` if it has neither."""
    if isinstance(declared, Mapping):
        return declared.get("value", declared.get("default"))
    return declared


def read_value(value: object) -> object:
    """Read a value as Pulumi does: `pulumi config set` stores numbers and JSON as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _fault(error: Exception) -> str:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    place = f", line {mark.line + 1}" if mark else ""
    if isinstance(error, DuplicateKeyError):
        found = _DUPLICATE.match(str(error.problem))
        return f"has the key {show(found[1]) if found else ''} twice{place}; allowed: each key once"
    return f"is not YAML{place}"


def _check(file: str, place: str, value: object) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UserError(
                    f"{file}: {place or 'the top level'}: got the key {_describe(key)}; allowed: a string", "Quote it"
                )
            _check(file, f"{place}.{show_name(key)}" if place else show_name(key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(file, f"{place}[{index}]", item)
    elif not isinstance(value, str | bool | int | float | None):
        raise UserError(
            f"{file}: {place}: got {_describe(value)}; allowed: strings, numbers, booleans, lists and mappings",
            "Quote it",
        )


def _describe(value: object) -> str:
    return show(value) if isinstance(value, bool | int | float | None) else f"a {type(value).__name__}"
