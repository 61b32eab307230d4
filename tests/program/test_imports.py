"""The allowed imports: the contracts of pyproject.toml, and those of the modules outside the packages."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.stacks import ROOT


def test_no_room_imports_from_one_above_it() -> None:
    """Imports against the order of the packages lead to circular dependencies."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603 - a pinned tool
    assert done.returncode == 0, done.stdout + done.stderr


def test_errors_import_nothing_of_the_project() -> None:
    """All other modules import this one."""
    ours = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    tree = ast.parse((ROOT / "errors.py").read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported & ours == set()
