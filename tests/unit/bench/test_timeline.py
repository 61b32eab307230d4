"""The timeline of a run, its picture, and its file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import __main__ as cli
from bench import gantt, timeline, traced_up
from bench.critical_path import Step
from bench.event_log import Event
from bench.timeline import Timeline
from errors import UserError
from lab.engines import Engine

KEY = "urn:pulumi:lab::mcsps::mcsps:index:MeshTrust$tls:index/privateKey:PrivateKey::root-key"
CERTIFICATE = "urn:pulumi:lab::mcsps::mcsps:index:MeshTrust$tls:index/selfSignedCert:SelfSignedCert::root"
TRUST = "urn:pulumi:lab::mcsps::mcsps:index:MeshTrust::trust"
STACK = "urn:pulumi:lab::mcsps::pulumi:pulumi:Stack::mcsps-lab"
PNG = b"\x89PNG"


def trust() -> Timeline:
    """Return the timeline of an `up` of nine seconds that creates a key and its certificate."""
    resources = [
        {"urn": STACK, "type": "pulumi:pulumi:Stack", "custom": False},
        {"urn": TRUST, "type": "mcsps:index:MeshTrust", "custom": False, "parent": STACK},
        {"urn": KEY, "type": "tls:index/privateKey:PrivateKey", "custom": True, "parent": TRUST},
        {
            "urn": CERTIFICATE,
            "type": "tls:index/selfSignedCert:SelfSignedCert",
            "custom": True,
            "parent": TRUST,
            "dependencies": [KEY],
        },
    ]
    moments = [
        (102, "resourcePreEvent", KEY),
        (105, "resOutputsEvent", KEY),
        (106, "resourcePreEvent", CERTIFICATE),
        (108, "resOutputsEvent", CERTIFICATE),
    ]
    events = [
        Event(at, {kind: {"metadata": {"urn": urn, "op": "create", "old": None, "new": {"custom": True}}}})
        for at, kind, urn in moments
    ]
    state = json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}).encode()
    return timeline.assemble(events, state, began=100, seconds=9)


def test_the_seconds_of_a_run_are_in_steps_between_them_or_after_the_last_one() -> None:
    """The three sums make up the whole run."""
    found = trust()
    assert (found.seconds, found.path_seconds, found.gap_seconds, found.rest_seconds) == (9, 5, 3, 1)
    assert (found.resources, len(found.steps)) == (4, 2)
    assert {step.group for step in found.steps} == {"trust"}
    assert [step.waits_for for step in found.steps] == [(), (KEY,)]
    assert found.state_bytes > 100


def test_the_file_has_what_each_step_waited_for() -> None:
    """The file shows the distribution of the time without the project's code."""
    kept = trust().as_json()
    assert kept["critical_path"] == [KEY, CERTIFICATE]
    assert [(each["urn"], each["waited_for"], each["gap"]) for each in kept["steps"]] == [
        (KEY, None, 2),
        (CERTIFICATE, KEY, 1),
    ]
    assert kept["rest_seconds"] == 1


def test_a_kept_run_is_shown_again_without_a_lab(tmp_path: Path) -> None:
    """Table, picture and file are those of the run."""
    kept, again, picture = tmp_path / "kept.json", tmp_path / "again.json", tmp_path / "picture.png"
    kept.write_text(json.dumps({"engine": "pulumi", "timeline": trust().as_json()}))
    options = ["--from", str(kept), "--json", str(again), "--picture", str(picture)]
    done = CliRunner().invoke(cli.app, ["timeline", *options])
    assert done.exit_code == 0, done.output
    assert "SelfSignedCert root" in done.stdout
    assert "whole: 9.0 s = 5.0 s in 2 steps + 3.0 s between them (program and engine) + 1.0 s after" in done.stdout
    assert json.loads(again.read_text()) == json.loads(kept.read_text())
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.parametrize("text", [None, "no JSON", "[]", "{}", '{"timeline": {"seconds": "many"}}'])
def test_a_file_without_a_timeline_is_an_error(tmp_path: Path, text: str | None) -> None:
    """The error names the option and the command that writes such a file."""
    file = tmp_path / "kept.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=r"--from .*kept.json has no timeline"):
        timeline.read(file)


def test_a_picture_that_cannot_be_written_is_an_error_before_the_run(tmp_path: Path) -> None:
    """A run takes a minute."""
    options = ["--from", str(tmp_path / "missing.json"), "--picture", str(tmp_path / "picture.txt")]
    done = CliRunner().invoke(cli.app, ["timeline", *options])
    assert done.exit_code == 2
    assert "has no supported suffix" in done.stderr


def test_a_timeline_of_the_stand_in_is_an_error() -> None:
    """The stand-in has no events."""
    with pytest.raises(UserError, match="the engine is stand-in"):
        traced_up.measure({}, Engine.STAND_IN, pytest.fail)


def test_a_picture_has_room_for_every_step(tmp_path: Path) -> None:
    """The picture grows with the steps, and each step has its own row and label."""
    heights = []
    for count in (20, 160):
        steps = tuple(
            Step(
                urn=f"urn:pulumi:lab::mcsps::kubernetes:core/v1:Secret::{number}",
                op="create",
                group=f"cluster-{number % 30}",
                start=number,
                end=number + 1,
                waits_for=(),
            )
            for number in range(count)
        )
        file = tmp_path / f"{count}.png"
        gantt.draw(Timeline(seconds=count + 2, resources=count, state_bytes=1, steps=steps), file)
        content = file.read_bytes()
        assert content.startswith(PNG)
        heights.append(int.from_bytes(content[20:24]))
    assert heights[1] > 5 * heights[0]
