"""The order in which a lab goes, on folders that stand for it."""

import shutil
from pathlib import Path

import pytest

from lab import teardown
from lab.machine import cgroups, mounts, network


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder; what is not on disk is gone already."""
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
    """What it had begun to remove passes for no lab, and the next `up` or `down` ends it."""

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
