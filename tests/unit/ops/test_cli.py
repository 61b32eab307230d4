"""The command line of `python -m ops`."""

import subprocess
import sys

from tests.support.stacks import ROOT

HEAVY = ("cryptography", "kubernetes", "matplotlib", "pulumi", "pydantic")
SCRIPT = """
import sys
from typer.testing import CliRunner
from ops.cli import app

done = CliRunner().invoke(app, ["--help"])
print(done.exit_code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_help_loads_no_sdk() -> None:
    """The help starts fast, because each command loads only the libraries that it needs."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - this interpreter
    code, *loaded = done.stdout.split()
    assert code == "0"
    assert "ops" in loaded
    assert set(loaded).isdisjoint(HEAVY)
