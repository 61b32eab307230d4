"""The stand-in's state file and its lock."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from errors import UserError
from lab.standin.state import Entry, State, locked
from recorder.values import Secret

if TYPE_CHECKING:
    from pathlib import Path

KEY = Entry(
    urn="urn:pulumi:lab::mcsps::tls:index/privateKey:PrivateKey::key",
    type="tls:index/privateKey:PrivateKey",
    id="1",
    dependencies=("urn:a",),
    outputs={"privateKeyPem": Secret("pem"), "algorithm": "ECDSA"},
    protect=True,
)


def test_what_is_kept_comes_back_whole(tmp_path: Path) -> None:
    """This includes the marks of secrets."""
    State.load("lab", tmp_path).put(KEY)
    assert State.load("lab", tmp_path).entries() == {KEY.urn: KEY}


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file contains private keys."""
    State.load("lab", tmp_path).put(KEY)
    assert (tmp_path / "lab.json").stat().st_mode & 0o777 == 0o600


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A reader or a kill in between finds the old or the new state, and an incomplete write is overwritten."""
    (tmp_path / "lab.new").write_text("torn")
    state = State.load("lab", tmp_path)
    state.put(KEY)
    before = (tmp_path / "lab.json").stat().st_ino
    state.remove(KEY.urn)
    assert (tmp_path / "lab.json").stat().st_ino != before
    assert json.loads((tmp_path / "lab.json").read_text()) == {"resources": []}
    assert not (tmp_path / "lab.new").exists()


def test_a_renamed_resource_keeps_its_place(tmp_path: Path) -> None:
    """All references to it change as well."""
    state = State.load("lab", tmp_path)
    state.put(KEY)
    state.put(Entry(urn="urn:child", type="t", parent=KEY.urn, dependencies=(KEY.urn,), deleted_with=KEY.urn))
    state.rename(KEY.urn, "urn:new")
    entries = State.load("lab", tmp_path).entries()
    assert set(entries) == {"urn:new", "urn:child"}
    assert entries["urn:child"].needs == {"urn:new"}
    assert entries["urn:child"].deleted_with == "urn:new"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"resources": [{"urn": 1}]}', '{"resources": [{"colour": "red"}]}']
)
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: str) -> None:
    """It never counts as an empty state, because then all resources would be created twice."""
    (tmp_path / "lab.json").write_text(content)
    with pytest.raises(UserError, match=r"lab\.json"):
        State.load("lab", tmp_path)


def test_a_state_that_cannot_be_read_or_written_is_told_by_its_file(tmp_path: Path) -> None:
    """For a full disk or a folder in its place, the user reads the name of the file and no traceback."""
    state = State.load("lab", tmp_path)
    (tmp_path / "lab.json").mkdir()
    with pytest.raises(UserError, match=r"lab\.json cannot be written: Is a directory"):
        state.put(KEY)
    with pytest.raises(UserError, match=r"lab\.json cannot be read: Is a directory"):
        State.load("lab", tmp_path)


def test_folders_of_the_state_are_their_owners_alone(tmp_path: Path) -> None:
    """This includes parent folders that it creates."""
    with locked("lab", tmp_path / "lab" / "engine"):
        assert [folder.stat().st_mode & 0o777 for folder in (tmp_path / "lab", tmp_path / "lab/engine")] == [0o700] * 2


def test_a_second_run_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    """The lock ends with its process, and each stack has its own."""
    holder = (
        "import sys; from pathlib import Path; from lab.standin.state import locked\n"
        "with locked('lab', Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: S603 - this Python, and a text from above
        [sys.executable, "-c", holder, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(UserError, match=str(process.pid)), locked("lab", tmp_path):
            pass
        with locked("lab-other", tmp_path):
            pass
        process.kill()
    with locked("lab", tmp_path):
        pass
