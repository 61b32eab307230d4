"""The order in which a lab is removed, on folders of a test."""

import shutil
from pathlib import Path

import pytest

from errors import UserError
from lab import spec, teardown
from lab.machine import cgroups, mounts, network

EAST, WEST = spec.clusters(2)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the state folder of a lab without processes, mounts or links."""
    folder = tmp_path / "mcsps-lab"
    (folder / "east" / "pki").mkdir(parents=True)
    (folder / "east" / "pki" / "ca.crt").write_text("x")
    monkeypatch.setattr(spec, "STATE_DIR", folder)
    monkeypatch.setattr(teardown, "STATE_DIR", folder)
    monkeypatch.setattr(teardown, "REMOVING_DIR", tmp_path / "mcsps-lab.removing")
    monkeypatch.setattr(cgroups, "hierarchies", lambda: ())
    monkeypatch.setattr(network, "remove", lambda _: None)
    monkeypatch.setattr(network, "remove_node", lambda _: None)
    monkeypatch.setattr(mounts, "remove", lambda *_: None)
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


def held(folder: Path) -> set[str]:
    """Return the files and folders below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_one_cluster_is_removed_and_the_others_stay(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes, link, namespaces and cgroups are removed first, and keys and data last."""
    done = []
    monkeypatch.setattr(cgroups, "kill_all", lambda _, cgroup: done.append(f"kill {cgroup}"))
    monkeypatch.setattr(network, "remove_node", lambda node: done.append(f"unlink {node.name}"))
    monkeypatch.setattr(mounts, "remove", lambda path: done.append(f"unmount {path.name}"))
    monkeypatch.setattr(cgroups, "remove_empty", lambda _, cgroup: done.append(f"remove {cgroup}"))
    (state / "east" / "kubeconfig").touch()
    (state / "west" / "pki").mkdir(parents=True)
    (state / "deployed-by").touch()
    teardown.remove_cluster(EAST)
    assert done == ["kill mcsps-lab/east", "unlink east", "unmount east", "remove mcsps-lab/east"]
    assert held(state) == {"deployed-by", "east", "west", "west/pki"}


@pytest.mark.parametrize("step", ["rmtree", "kill"])
def test_a_rebuild_that_is_killed_is_completed_before_anything_is_repaired(
    state: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next `up` keeps nothing of the old cluster, wherever the removal stopped."""

    def killed(*_: object) -> None:
        raise SystemError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(*((shutil, "rmtree") if step == "rmtree" else (cgroups, "kill_all")), killed)
        with pytest.raises(SystemError):
            teardown.remove_cluster(EAST)
    assert (state / "east" / "pki").exists()
    teardown.finish()
    assert held(state) == {"east"}


def test_without_a_killed_command_there_is_nothing_to_complete(state: Path) -> None:
    """A complete cluster stays unchanged."""
    teardown.finish()
    assert held(state) == {"east", "east/pki", "east/pki/ca.crt"}


def test_a_cluster_with_a_mount_of_another_program_keeps_its_files(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files may belong to that program."""
    monkeypatch.setattr(mounts, "left_below", lambda folder: [f"{folder}/data"] if folder == EAST.directory else [])
    with pytest.raises(UserError, match=r"umount .*/east/data\. Then run `rebuild east` again"):
        teardown.remove_cluster(EAST)
    assert (state / "east" / "pki" / "ca.crt").exists()
    teardown.remove_cluster(WEST)
