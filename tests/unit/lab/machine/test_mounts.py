"""Mount namespaces, in tests that need no root."""

from pathlib import Path

import pytest

from errors import UserError
from lab import spec
from lab.machine import mounts

EAST = spec.clusters(1)[0]
FOLDER = str(spec.NAMESPACES_DIR)


def test_a_file_is_a_namespace_only_while_one_is_bound_to_it(tmp_path: Path) -> None:
    """A file that a killed command left is no namespace."""
    (tmp_path / "half").touch()
    assert mounts.is_namespace(Path("/proc/self/ns/net"))
    assert not mounts.is_namespace(tmp_path / "half")
    assert not mounts.is_namespace(tmp_path / "gone")


def test_layers_of_mounts_come_off_from_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mount that hides another one must be unmounted first."""
    points = ["/", FOLDER, f"{FOLDER}/east", FOLDER, f"{FOLDER}/west", "/var/lib/mcsps-lab-of-others"]
    unmounted: list[str] = []
    monkeypatch.setattr(mounts, "_mount_points", lambda: points)
    monkeypatch.setattr(mounts, "run", lambda command, point: unmounted.append(f"{command} {point}"))
    mounts.remove()
    assert unmounted == [f"umount {point}" for point in (f"{FOLDER}/west", FOLDER, f"{FOLDER}/east", FOLDER)]


def test_one_namespace_is_unmounted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder and the namespaces of the other clusters stay mounted."""
    points = [FOLDER, f"{FOLDER}/east", f"{FOLDER}/west", f"{FOLDER}/east"]
    unmounted: list[str] = []
    monkeypatch.setattr(mounts, "_mount_points", lambda: points)
    monkeypatch.setattr(mounts, "run", lambda _, point: unmounted.append(point))
    mounts.remove(EAST.mountns_path)
    assert unmounted == [f"{FOLDER}/east"] * 2


def test_a_namespace_that_is_hidden_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in a new namespace would not find the sockets of those in the hidden one."""
    monkeypatch.setattr(mounts, "_mount_points", lambda: [FOLDER, str(EAST.mountns_path), FOLDER])
    monkeypatch.setattr(mounts, "is_namespace", lambda _: False)
    with pytest.raises(UserError, match=r"hides the mount namespace of east.*lab down, then python -m lab up"):
        mounts.ensure(EAST)
