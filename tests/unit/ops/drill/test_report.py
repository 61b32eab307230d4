"""The table, the JSON and the picture of a drill."""

import io
import json
from functools import cache
from pathlib import Path

import pytest
from rich.console import Console

from errors import UserError
from ops.drill.picture import SUFFIXES, check, draw, series
from ops.drill.report import DrillReport, ScenarioRow, Second
from ops.drill.scenario import FailureMode, Scenario, Target
from ops.drill.table import show
from tests.support.drilled import DETECTION, World, absence, conductor

SCENARIOS = [
    Scenario(target=Target.HELLOWORLD, failure_mode=FailureMode.RESET),
    Scenario(target=Target.NODE, failure_mode=FailureMode.BLACKHOLE),
]


@cache
def good_report() -> DrillReport:
    """Return the report of a drill that passed."""
    return report(World())


def report(world: World, *, judged: bool = True) -> DrillReport:
    """Return the report of a drill in this world, in two scenarios."""
    detection = DETECTION if judged else None
    return DrillReport(
        stack="lab",
        mesh="mcsps-lab",
        cluster="east",
        v2_weight=10,
        rate=10,
        detection=detection,
        notes=("v1 runs in east alone",),
        scenarios=tuple(conductor(world, detection).conduct(SCENARIOS)),
    )


def shown(of: DrillReport) -> str:
    """Return the text that the user sees."""
    text = io.StringIO()
    show(of, Console(file=text, width=160, highlight=False, soft_wrap=True))
    return text.getvalue()


def test_each_phase_of_each_source_has_a_row() -> None:
    """The row has the results and the times."""
    text = shown(good_report())
    assert "bound: 1 errors to eject an endpoint for 30 s, at most 100 % of them; interval 1 s; a connection" in text
    assert "without an answer fails after 1 s, a try on an open one after 0.5 s\n" in text
    assert "note: v1 runs in east alone" in text
    assert "helloworld reset for 23 s, bound 3.1 s" in text
    assert "node blackhole for 24 s, bound 4.1 s" in text
    assert text.count("│ healthy │") == text.count("│ away    │") == text.count("│ back    │") == 8
    assert "passed: 2 of 2 scenarios" in text
    *_, node = text.split("node blackhole")
    east, west = (line for line in node.splitlines() if "away    │" in line and "ingress" in line)
    assert [cell.strip() for cell in east.split("│")][-2] == "away"
    assert [cell.strip() for cell in west.split("│")][-2] == "ok"
    assert "2.8 s" in west or "2.9 s" in west


def test_each_phase_of_scenario_away_has_a_row_and_its_lost_requests() -> None:
    """Requests from the cluster that is away are not judged before the restore, and do not count as lost."""
    world = World(detection_seconds=10_000)
    (scenario,) = conductor(world, None, moved_by=absence(world)).conduct(SCENARIOS[1:])
    text = shown(good_report().model_copy(update={"detection": None, "scenarios": (scenario,)}))
    assert "node blackhole for 64 s, `up` after 34 s; no request may fail later than 10 s after it" in text
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if " ingress " in line]
    assert [(phase, source, until, mark) for phase, source, *_, until, mark in rows] == [
        ("healthy", "east ingress", "", ""),
        ("healthy", "west ingress", "", ""),
        ("dead", "east ingress", "", "away"),
        ("dead", "west ingress", "33.9 s", ""),
        ("away", "east ingress", "", "away"),
        ("away", "west ingress", "0.8 s", "ok"),
        ("back", "east ingress", "", "away"),
        ("back", "west ingress", "", ""),
        ("restored", "east ingress", "0.0 s", "ok"),
        ("restored", "west ingress", "0.0 s", "ok"),
    ]
    assert "lost: healthy 0, dead 340, away 10, back 0, restored 0\n" in text
    assert "failures are judged after an `up` alone" in text


def test_a_try_without_a_time_of_its_own_is_not_told_of() -> None:
    """Only the end of the request then ends the try."""
    drilled = good_report()
    text = shown(drilled.model_copy(update={"detection": DETECTION.model_copy(update={"per_try_timeout_seconds": 0})}))
    assert "without an answer fails after 1 s\n" in text


def test_what_does_not_hold_is_named_with_its_reason() -> None:
    """The reasons are late requests, and a split that did not return."""
    world = World(detection_seconds=10)
    text = shown(report(world))
    assert "FAILED: 0 of 2 scenarios" in text
    assert "west client: 34 failed beyond the bound: 50 x no answer" in text
    text = shown(report(World(return_seconds=1000)))
    assert "west ingress: the configured split did not return" in text
    assert "never" in text


def test_without_a_bound_it_says_so() -> None:
    """No failure is judged in this case."""
    text = shown(report(World(detection_seconds=10), judged=False))
    assert (
        "bound: none, because without outlier detection no failed endpoint is detected; failures are not judged" in text
    )
    assert "passed" in text


def test_a_machine_reads_the_same() -> None:
    """The JSON has camelCase keys and includes the verdicts."""
    said = json.loads(good_report().model_dump_json(by_alias=True))
    assert said["ok"] is True
    assert said["detection"]["connectTimeoutSeconds"] == 1
    scenario = said["scenarios"][0]
    assert set(scenario) == {
        *("kind", "target", "failureMode", "cut", "starts", "lost"),
        *("awaySeconds", "boundSeconds", "graceSeconds", "sources", "ok"),
    }
    assert scenario["lost"] == {"healthy": 0, "away": scenario["lost"]["away"], "back": 0}
    assert DrillReport.model_validate(said) == good_report()


def row_of(*seconds: Second) -> ScenarioRow:
    """Return a scenario with one source, which has these seconds."""
    (scenario, *_) = good_report().scenarios
    source = scenario.sources[0].model_copy(update={"timeline": seconds})
    return scenario.model_copy(update={"sources": (source,)})


def test_a_second_without_requests_is_drawn_as_none() -> None:
    """The second has zeros, not the values of its neighbours."""
    row = row_of(
        Second(second=-1, versions={"v1": 9, "v2": 1}, failed=0),
        Second(second=1, versions={"v1": 8}, failed=2),
    )
    assert series(row.sources[0]) == {"second": [-1, 0, 1], "v1": [9, 0, 8], "v2": [1, 0, 0], "failed": [0, 0, 2]}
    assert series(row_of().sources[0]) == {"second": [], "v1": [], "v2": [], "failed": []}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_picture_is_drawn(tmp_path: Path, suffix: str) -> None:
    """Each offered format works."""
    path = tmp_path / f"drill{suffix}"
    check(path)
    draw(good_report(), path)
    start = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(("name", "named"), [("drill.txt", ".pdf, .png, .svg"), ("gone/drill.svg", "does not exist")])
def test_a_picture_that_could_not_be_written_is_refused_before_the_drill(tmp_path: Path, name: str, named: str) -> None:
    """An error after the drill would waste the whole run."""
    with pytest.raises(UserError, match=named):
        check(tmp_path / name)
