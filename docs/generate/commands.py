"""The page docs/reference/commands.md, from the command lines, the Makefile and the table of exit codes."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperGroup, TyperOption

import errors
from docs.generate import markdown
from errors import ExitCode
from lab.cli import app as lab
from lab.deploy import app as deploy
from ops.cli import app as ops

APPS = {"python -m ops": ops, "python -m lab": lab, "python -m lab.deploy": deploy}
NAMES = {int: "number", float: "number", Path: "path"}
"""Types of values by their names for a user."""
MAKE = """\
Variables are set on the command line, as in `make up STACK=lab-rancher`. `make` itself exits with 2 after any error."""


def render(makefile: str) -> str:
    """Render the page."""
    return markdown.page(
        "Commands",
        "the command lines, the Makefile and errors.py",
        "## make",
        MAKE,
        markdown.table(("Target", "What it does"), _targets(makefile)),
        markdown.table(("Variable", "Default"), _variables(makefile)),
        *(part for name, app in APPS.items() for part in _app(name, app)),
        "## Exit codes",
        markdown.table(("Code", "Name", "Meaning"), _exit_codes()),
    )


def _targets(makefile: str) -> list[tuple[str, str]]:
    return [(f"`make {name}`", text) for name, text in re.findall(r"^([a-z0-9-]+):.*## (.+)$", makefile, re.MULTILINE)]


def _variables(makefile: str) -> list[tuple[str, str]]:
    found = re.findall(r"^([A-Z]+) \?=[ \t]*(.*)$", makefile, re.MULTILINE)
    return [(f"`{name}`", f"`{default}`" if default else "unset") for name, default in found if name != "PYTHON"]


def _app(name: str, app: typer.Typer) -> Iterator[str]:
    command = typer.main.get_command(app)
    yield f"## {name}"
    if not isinstance(command, TyperGroup):
        yield from _command(command)
        return
    for sub_name, sub_command in command.commands.items():
        yield f"### {name} {sub_name}"
        yield from _command(sub_command)


def _command(command: Any) -> Iterator[str]:  # noqa: ANN401 - typer has its own copy of click
    yield inspect.cleandoc(command.help or "")
    rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        yield markdown.table(("Option or argument", "Value", "Default", "Meaning"), rows)


def _parameter(parameter: Any) -> tuple[str, str, str, str]:  # noqa: ANN401 - as above
    is_option = isinstance(parameter, TyperOption)
    name = (
        ", ".join(map(markdown.code, parameter.opts))
        if is_option
        else f"`{parameter.metavar or parameter.name.upper()}`"
    )
    is_unset = parameter.default is None or isinstance(parameter.default, list)
    default = "unset" if is_unset else markdown.code(parameter.default)
    return name, _value(parameter), "required" if parameter.required else default, parameter.help or ""


def _value(parameter: Any) -> str:  # noqa: ANN401 - as above
    annotation = parameter.type_descriptor.annotation
    (type_,) = get_args(annotation) or (annotation,)
    if issubclass(type_, Enum):
        return ", ".join(markdown.code(choice.value) for choice in type_)
    if parameter.min is not None:
        return f"{parameter.min:g} or more" if parameter.max is None else f"{parameter.min:g} to {parameter.max:g}"
    return "flag" if getattr(parameter, "is_flag", False) else NAMES.get(type_, "string")


def _exit_codes() -> list[tuple[str, str, str]]:
    meanings = _member_docstrings(ExitCode)
    return [(str(code.value), f"`{code.name}`", meanings[code.name]) for code in ExitCode]


def _member_docstrings(class_: type) -> Mapping[str, str]:
    """The docstrings under the members of a class, by the member's name."""
    (definition,) = (
        node
        for node in ast.parse(inspect.getsource(errors)).body
        if isinstance(node, ast.ClassDef) and node.name == class_.__name__
    )
    found: dict[str, str] = {}
    for member, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            (target,) = member.targets
            found[ast.unparse(target)] = str(text.value.value)
    return found
