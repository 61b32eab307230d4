"""
The pages for users: they build, their links have a target, and their commands and config are valid.

No test compares sentences. Pages in `docs/reference/` are generated from the code.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.core import TyperGroup
from typer.main import get_command

from bench.__main__ import app as bench
from config.parsing import parse
from config.schema import Installer
from lab.cli import app as lab
from lab.deploy import app as deploy
from lab.spec import clusters
from ops.cli import app as ops
from tests.support.pages import GUIDE, PAGES, commands, inline_code, yaml_block
from tests.support.stacks import LAB, RANCHER, ROOT, load_values

README_LINES = 150
BUILD_SECONDS = 60
ON_GITHUB = [*ROOT.glob("*.md"), ROOT / "bench" / "README.md"]
"""Pages outside the site, whose links MkDocs does not check."""
MODULES: dict[str, Typer] = {"bench": bench, "lab": lab, "lab.deploy": deploy, "ops": ops}
TOOLS = {"docs.generate", "mkdocs", "mypy", "pytest", "ruff"}
"""Modules of the commands that are not parsers of the project; each has a target of `make`, or is part of one."""
PROGRAMS = {".", "cp", "env", "istioctl", "make", "pulumi", "python"}
"""`pulumi` is checked by `tests/e2e/test_documented_commands.py`; the lab has no operator for `istioctl` to install."""
MAKEFILE = (ROOT / "Makefile").read_text()
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site as `make docs` builds it; a dead link or anchor fails the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(  # noqa: S603 - a fixed command
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_builds_and_loads_nothing_from_elsewhere(site: Path) -> None:
    """The pages can be read without a network."""
    pages = list(site.rglob("*.html"))
    assert {path.stem for path in GUIDE} <= {page.stem for page in pages}
    loads = r'<(?:script|img|iframe)\b[^>]*\bsrc="https?:|<link\b[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="https?:'
    assert [page.name for page in pages if re.search(loads, page.read_text())] == []


@pytest.mark.parametrize("page", ON_GITHUB, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_outside_the_site_leads_to_a_file(page: Path) -> None:
    """MkDocs checks the links within the site."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    """Details belong in the guide."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_exists(page: Path) -> None:
    """Paths with a placeholder are examples."""
    top = {path.name for path in ROOT.iterdir()}
    named = {code for code in inline_code(page) if re.fullmatch(r"[\w./-]+", code)}
    paths = {code for code in named if code.partition("/")[0] in top or (code.endswith(".py") and "/" not in code)}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", commands())
def test_every_command_is_accepted_by_what_reads_it(command: str) -> None:
    """`make` is checked with a dry run, and the project's modules with their own parsers. No command runs."""
    program, *arguments = shlex.split(command)
    assert program in PROGRAMS
    if program == "make":
        _accept_by_make(arguments)
    elif arguments[:1] == ["-m"] and arguments[1] not in TOOLS:
        _accept_by_module(*arguments[1:])


def test_every_target_is_explained() -> None:
    """The table of commands contains all of them, except the one that lists them."""
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)) - {"help"}
    table = (ROOT / "docs" / "guide" / "operations.md").read_text()
    assert targets == set(re.findall(r"^\| `make ([a-z0-9-]+)`", table, re.MULTILINE))


def test_every_workflow_is_explained() -> None:
    """The table contains no other workflow."""
    table = (ROOT / "docs" / "guide" / "ci.md").read_text()
    workflows = {path.name for path in (ROOT / ".github" / "workflows").iterdir()}
    assert workflows == set(re.findall(r"^\| `([\w.-]+\.yaml)`", table, re.MULTILINE))


def test_the_third_cluster_is_the_one_that_the_lab_starts() -> None:
    """Its name and its kubeconfig's path are the lab's, and it is valid together with the other two."""
    (third,) = yaml_block("lab.md")
    spec = clusters(3)[2]
    assert (third["name"], third["access"]["path"]) == (spec.name, str(spec.kubeconfig))
    values = load_values(LAB)
    assert len(parse({**values, "clusters": [*values["clusters"], third]}).clusters) == 3


def test_the_audiences_and_the_locality_are_valid_config() -> None:
    """They are valid in a stack whose clusters all have that locality."""
    audiences: dict[str, object] = yaml_block("traffic.md")
    locality: dict[str, object] = yaml_block("traffic.md", 1)
    values = load_values(LAB)
    located = [{**cluster, **locality} for cluster in values["clusters"]]
    parsed = parse({**values, "clusters": located, "audiences": audiences["mcsps:audiences"]})
    assert [audience.name for audience in parsed.audiences] == ["test-team", "europe"]
    assert parsed.regions == ("eu",)


def test_the_config_for_the_operator_is_valid_and_of_the_version_that_is_installed() -> None:
    """The block replaces the stack file's config of Istio."""
    istio: dict[str, str] = yaml_block("real-clusters.md")["mcsps:istio"]
    assert parse({**load_values(RANCHER), "istio": istio}).istio.installer is Installer.OPERATOR
    assert any(command.startswith(f"istioctl operator init --tag {istio['tag']}") for command in commands())


def _accept_by_make(arguments: list[str]) -> None:
    variables = [argument.partition("=")[0] for argument in arguments if "=" in argument]
    assert [key for key in variables if not re.search(rf"^{key} \?=", MAKEFILE, re.MULTILINE)] == []
    environment = {key: value for key, value in os.environ.items() if key not in OF_MAKE}
    done = subprocess.run(  # noqa: S603 - the project's own Makefile
        ["make", "--dry-run", "--old-file=.venv/installed", *arguments],  # noqa: S607
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _accept_by_module(module: str, *arguments: str) -> None:
    command = get_command(MODULES[module])
    if isinstance(command, TyperGroup):
        name, *arguments_of_command = arguments
        command, arguments = command.commands[name], tuple(arguments_of_command)
    if "--help" not in arguments:
        command.make_context(module, list(arguments))
