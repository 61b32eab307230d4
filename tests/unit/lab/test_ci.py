"""What CI installs on a clean machine."""

import re
import subprocess
from pathlib import Path

from lab import preflight

RUN = Path(__file__).parents[3] / ".ci" / "run"


def test_ci_installs_every_package_that_up_asks_for() -> None:
    """By the same commands, so that what another package brings is not installed over it."""
    packages = dict(re.findall(r"^ +\[(\S+)\]=(\S+)$", RUN.read_text(), re.MULTILINE))
    assert packages.items() >= preflight.PACKAGES.items()


def test_ci_is_a_script_that_bash_understands() -> None:
    """It is run once a change, and after it there is nobody to mend it."""
    subprocess.run(["bash", "-n", RUN], check=True)  # noqa: S603, S607 - the project's own script
