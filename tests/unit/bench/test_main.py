"""`python -m bench`: the checks before a measurement, and the results."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import __main__ as cli
from bench import mesh, program, shift
from bench.mesh import Meshes
from bench.shift import Shifts
from bench.stats import Comparison, Sample
from lab.engines import Engine

BOTH = Comparison((Sample(1, 1),), (Sample(2, 2),))


def test_a_lab_that_is_down_is_told_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check comes first, because the program alone takes minutes."""
    monkeypatch.setattr(mesh, "accesses", lambda _: [(None, Path("/nowhere/kubeconfig"))])
    monkeypatch.setattr(program, "measure", lambda *_: pytest.fail("it began to measure"))
    done = CliRunner().invoke(cli.app, [])
    assert done.exit_code == 2
    assert done.stderr == "error: The lab is down\nRun: python -m lab up\n"


@pytest.mark.parametrize(
    ("what", "measured"),
    [("mesh", Meshes(total=BOTH, install=BOTH)), ("shift", Shifts(total=BOTH, command=BOTH, arrival=BOTH))],
)
@pytest.mark.parametrize("pulumi", [None, "/usr/bin/pulumi"])
def test_the_engine_that_was_measured_is_told_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pulumi: str | None, what: str, measured: object
) -> None:
    """The results of one engine do not apply to the other."""
    engine = Engine.PULUMI if pulumi else Engine.STAND_IN
    asked: list[Engine] = []

    def measure(_found: mesh.Found, _pairs: int, engine: Engine, _report: object) -> object:
        asked.append(engine)
        return measured

    monkeypatch.setattr(mesh, "find_pulumi", lambda **_: (pulumi, ""))
    monkeypatch.setattr(mesh, "find_empty_clusters", dict)
    monkeypatch.setattr({"mesh": mesh, "shift": shift}[what], "measure", measure)
    done = CliRunner().invoke(cli.app, [what, "--json", str(tmp_path / "kept.json")])
    assert done.exit_code == 0, done.output
    assert asked == [engine]
    assert f"engine {engine}" in done.stdout
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["engine"], set(kept)) == (engine, {"engine", what})
