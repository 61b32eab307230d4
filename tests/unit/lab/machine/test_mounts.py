"""Mount namespaces, as far as they can be seen without root."""

from pathlib import Path

import pytest

from errors import UserError
from lab import spec
from lab.machine import mounts

EAST = spec.clusters(1)[0]
FOLDER = str(spec.NAMESPACES_DIR)


def test_a_file_is_a_namespace_only_while_one_is_bound_to_it(tmp_path: Path) -> None:
    """What a command that was killed left there is none."""
    (tmp_path / "half").touch()
    assert mounts.is_namespace(Path("/proc/self/ns/net"))
    assert not mounts.is_namespace(tmp_path / "half")
    assert not mounts.is_namespace(tmp_path / "gone")


def test_layers_of_mounts_come_off_from_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount that a later one hides cannot be let go of before that one."""
    points = ["/", FOLDER, f"{FOLDER}/east", FOLDER, f"{FOLDER}/west", "/var/lib/mcsps-lab-of-others"]
    unmounted: list[str] = []
    monkeypatch.setattr(mounts, "_mount_points", lambda: points)
    monkeypatch.setattr(mounts, "run", lambda command, point: unmounted.append(f"{command} {point}"))
    mounts.remove()
    assert unmounted == [f"umount {point}" for point in (f"{FOLDER}/west", FOLDER, f"{FOLDER}/east", FOLDER)]


def test_a_namespace_that_is_hidden_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing started in another one would find what runs in it."""
    monkeypatch.setattr(mounts, "_mount_points", lambda: [FOLDER, str(EAST.mountns_path), FOLDER])
    monkeypatch.setattr(mounts, "is_namespace", lambda _: False)
    with pytest.raises(UserError, match=r"east is hidden by a later mount.*down, then up"):
        mounts.ensure(EAST)
