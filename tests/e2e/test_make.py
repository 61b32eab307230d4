"""The commands of the README run in a user's checkout."""

import re
import subprocess
from collections.abc import Callable, Iterator

import pytest

from lab.engines import MARK, Engine
from lab.spec import existing
from tests.e2e.checkout import COMMAND_SECONDS, ROOT, SHOWN_CHARACTERS, Checkout, run_module
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e

Make = Callable[[str], str]


@pytest.fixture(scope="module")
def make(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Run `make` in a copy of the checkout, which may remove the lab, and return all of its output."""
    if lab.before is None:
        pytest.skip("the lab was up before these tests, so it belongs to the user, and stays")
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))

    def run(target: str) -> str:
        # The virtual environment is the tests' own, which must not be reinstalled.
        command = ["make", "--old-file=.venv/installed", target, f"ENGINE={Engine.STAND_IN}"]
        done = subprocess.run(  # noqa: S603 - the project's own Makefile
            command,
            cwd=checkout.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )
        assert done.returncode == 0, f"make {target} ended with {done.returncode}:\n{done.stdout[-SHOWN_CHARACTERS:]}"
        return done.stdout

    yield run
    run_module(ROOT, "lab", "up").must_succeed()


def test_make_takes_a_person_from_nothing_to_a_proven_mesh_and_back(make: Make) -> None:
    """The commands are `preview`, `up`, `verify` and `down`. The first changes nothing, and the last leaves nothing."""
    assert re.search(r"^\d+ create  \(", make("preview"), re.MULTILINE)
    assert not MARK.exists()
    assert "all holds" in make("up")
    assert "all holds" in make("verify")
    make("down")
    assert existing() == ()
