"""The cache: only one run at a time uses it, and it contains no partial entry."""

import threading
from pathlib import Path

import pytest
from rich.progress import Progress

from lab.build import cache


def test_the_cache_is_where_the_user_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is XDG_CACHE_HOME, or ~/.cache if that is not set."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.root() == tmp_path / ".cache" / "mcsps-lab"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache.root() == Path("/elsewhere/mcsps-lab")


def test_a_key_tells_apart_where_parts_end() -> None:
    """The key changes if bytes move from one input to the next."""
    assert cache.key([b"ab", b"c"]) != cache.key([b"a", b"bc"])
    assert cache.key([b"ab", b"c"]) == cache.key([b"ab", b"c"])


def test_what_a_killed_run_left_is_gone(tmp_path: Path) -> None:
    """The next run empties its scratch folder, and removes the folder at the end."""
    stale = tmp_path / "tmp" / "half"
    stale.parent.mkdir()
    stale.write_text("half")
    with cache.filling(tmp_path, Progress(disable=True)) as filling:
        assert not stale.exists()
    assert not filling.scratch.exists()


def test_a_second_run_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    """Two runs never fill the same entry at once."""
    progress = Progress(disable=True)
    entered = threading.Event()

    def fill() -> None:
        with cache.filling(tmp_path, progress):
            entered.set()

    with cache.filling(tmp_path, Progress(disable=True)):
        second = threading.Thread(target=fill)
        second.start()
        assert not entered.wait(0.2)
        assert [task.description for task in progress.tasks] == [f"Wait for another run to fill {tmp_path}"]
    second.join(timeout=10)
    assert entered.is_set()
    assert not progress.tasks
