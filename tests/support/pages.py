"""The pages that users read: the commands, blocks and paths in them."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.stacks import ROOT

GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "index.md", *GUIDE]


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def yaml_block(page: str, index: int = 0) -> Any:  # noqa: ANN401 - whatever YAML can hold
    """Return one of the YAML blocks of a page of the guide, parsed."""
    return yaml.safe_load(blocks(ROOT / "docs" / "guide" / page, "yaml")[index])


def inline_code(page: Path) -> set[str]:
    """Return the code within the sentences of a page."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", prose))


def commands() -> list[str]:
    """Return the commands of all pages: lines of console blocks, and inline code that is a command."""
    lines = {line for page in PAGES for block in blocks(page, "console") for line in block.splitlines()}
    starts = ("make ", "pulumi ", "python -m ")
    inline = {code for page in PAGES for code in inline_code(page) if code.startswith(starts)}
    return sorted(filter(None, lines | inline))
