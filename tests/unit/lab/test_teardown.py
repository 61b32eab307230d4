"""The order of the removal of a lab, on folders of a test."""

import shutil
from pathlib import Path

import pytest

from lab import teardown
from lab.machine import cgroups, mounts, network


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a state folder of a lab that has nothing else left."""
    folder = tmp_path / "mcsps-lab"
    (folder / "east" / "pki").mkdir(parents=True)
    (folder / "east" / "pki" / "ca.crt").write_text("x")
    monkeypatch.setattr(teardown, "STATE_DIR", folder)
    monkeypatch.setattr(teardown, "REMOVING_DIR", tmp_path / "mcsps-lab.removing")
    monkeypatch.setattr(cgroups, "hierarchies", lambda: ())
    monkeypatch.setattr(network, "remove", lambda _: None)
    monkeypatch.setattr(mounts, "remove", lambda: None)
    return folder


def test_a_down_that_is_killed_leaves_no_half_state(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partly removed state does not count as a lab, and the next `up` or `down` completes the removal."""

    def killed(folder: Path) -> None:
        (folder / "east" / "pki" / "ca.crt").unlink()
        raise SystemError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(SystemError):
            teardown.remove_all()
    assert not state.exists()
    state.mkdir()
    teardown.finish()
    assert [path.name for path in state.parent.iterdir()] == [state.name]
    teardown.remove_all()
    assert list(state.parent.iterdir()) == []
