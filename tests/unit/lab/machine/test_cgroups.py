"""Cgroups of both versions, on folders that replace the kernel's."""

import errno
import os
from pathlib import Path

import pytest

from errors import UserError
from lab import spec
from lab.machine import cgroups
from lab.machine.cgroups import Hierarchy

EAST = spec.clusters(1)[0]
V1 = """\
31 23 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
33 31 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd
34 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct
35 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
36 31 0:31 / /sys/fs/cgroup/unified rw shared:14 - cgroup2 cgroup2 rw,nsdelegate
"""
V2 = "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


def v2_root(tmp_path: Path, available: str, on: str) -> Hierarchy:
    """Return a cgroup v2 root with folders that contain the kernel's files."""
    tmp_path.mkdir()
    (tmp_path / "cgroup.controllers").write_text(available)
    (tmp_path / "cgroup.subtree_control").write_text(on)
    for name in (spec.FABRIC, EAST.cgroup):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.controllers").write_text(available)
        (tmp_path / name / "cgroup.subtree_control").write_text("")
    return Hierarchy(tmp_path, is_v2=True)


def test_processes_are_tracked_by_memory_on_v1_and_by_the_one_hierarchy_on_v2() -> None:
    """This also holds on a host with both versions, where v2 has no controllers."""
    assert cgroups.tracker(cgroups.parse_mounts(V1)).root == Path("/sys/fs/cgroup/memory")
    assert cgroups.tracker(cgroups.parse_mounts(V2)).root == Path("/sys/fs/cgroup")


def test_every_hierarchy_is_found_named_ones_included() -> None:
    """The container runtime creates cgroups in each hierarchy, so `down` searches each."""
    assert [it.root.name for it in cgroups.parse_mounts(V1)] == ["systemd", "cpu,cpuacct", "memory", "unified"]


def test_a_host_without_cgroups_is_refused() -> None:
    """The error names the command that mounts one."""
    with pytest.raises(UserError, match="mount -t cgroup2"):
        cgroups.tracker(())


def test_a_cpuset_takes_its_parents_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel adds no process to an empty cpuset."""
    names = ("cpuset.cpus", "cpuset.mems")
    folders = [tmp_path, *(tmp_path / it for it in (spec.FABRIC, EAST.cgroup, EAST.system_cgroup, EAST.pods_cgroup))]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).write_text("0-1\n" if folder == tmp_path else "\n")
    monkeypatch.setattr(cgroups, "STATE_DIR", tmp_path)
    cgroups.ensure(EAST, (Hierarchy(tmp_path, is_v2=False, controllers=("rw", "cpuset")),))
    assert {(folder / name).read_text() for folder in folders for name in names} == {"0-1\n"}


def test_controllers_are_handed_down_on_v2_and_taken_back_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`down` keeps a controller that was enabled before `up` or that another program uses."""
    remembered = tmp_path / "remembered"
    monkeypatch.setattr(cgroups, "_ENABLED", remembered)
    root = v2_root(tmp_path / "cgroup", "cpuset cpu io memory hugetlb pids", "cpu memory")
    cgroups.ensure(EAST, (root,))
    assert (root.root / "cgroup.subtree_control").read_text() == "+cpuset +pids +hugetlb"
    below = (root.root / EAST.cgroup / "cgroup.subtree_control").read_text()
    assert below == "+cpuset +cpu +memory +pids +hugetlb"
    written = []

    def write(path: Path, text: str) -> None:
        assert path == root.root / "cgroup.subtree_control"
        written.append(text)
        if text == "-pids":
            raise OSError(errno.EBUSY, "another cgroup uses it")

    monkeypatch.setattr(Path, "write_text", write)
    cgroups.remove((Hierarchy(tmp_path / "elsewhere", is_v2=True),))
    assert written == ["-cpuset", "-pids", "-hugetlb"]
    assert not remembered.exists()


def test_missing_controllers_are_named(tmp_path: Path) -> None:
    """A container without delegation lacks them."""
    root = v2_root(tmp_path / "cgroup", "cpu memory", "")
    with pytest.raises(UserError, match="cpuset, pids"):
        cgroups.ensure(EAST, (root,))


def test_pids_are_found_at_every_depth_while_cgroups_come_and_go(tmp_path: Path) -> None:
    """A folder without the file belongs to a cgroup that is being removed."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "cgroup.procs").write_text("")
    (tmp_path / "a" / "cgroup.procs").write_text("7\n8\n")
    assert cgroups.processes(tmp_path) == {7, 8}
    assert cgroups.processes(tmp_path / "gone") == set()


def test_the_cgroups_of_one_cluster_are_killed_and_removed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes of the other cluster are not signalled."""
    east, west = (tmp_path / each.cgroup for each in spec.clusters(2))
    for folder, pid in ((east, 7), (west, 8)):
        (folder / "system").mkdir(parents=True)
        (folder / "system" / "cgroup.procs").write_text(f"{pid}\n")
    killed = []

    def kill(pid: int, _: int) -> None:
        killed.append(pid)
        # The kernel removes its files with their folder.
        (east / "system" / "cgroup.procs").unlink()

    monkeypatch.setattr(os, "kill", kill)
    among = (Hierarchy(tmp_path, is_v2=True),)
    cgroups.kill_all(among, EAST.cgroup)
    cgroups.remove_empty(among, EAST.cgroup)
    assert killed == [7]
    assert not east.exists()
    assert cgroups.members(among) == {8}


@pytest.mark.parametrize("line", ["total_rss 4096", "anon 4096"])
def test_memory_is_read_from_either_version(tmp_path: Path, line: str) -> None:
    """The file cache does not count, because the kernel reclaims it."""
    folder = tmp_path / EAST.cgroup
    folder.mkdir(parents=True)
    (folder / "memory.stat").write_text(f"file 1\n{line}\n")
    assert cgroups.memory_bytes(EAST, (Hierarchy(tmp_path, is_v2=True),)) == 4096


def test_processes_of_somebody_elses_cgroup_are_refused_by_their_pids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a lab, `up` and `down` do not use an existing cgroup with the lab's name."""
    among = (Hierarchy(tmp_path, is_v2=True),)
    monkeypatch.setattr(cgroups, "STATE_DIR", tmp_path / "state")
    cgroups.refuse_foreign(among)
    (tmp_path / spec.FABRIC).mkdir()
    (tmp_path / spec.FABRIC / "cgroup.procs").write_text("7\n8\n")
    with pytest.raises(UserError, match=r"holds no lab: \[7, 8\].*ps -p 7,8"):
        cgroups.refuse_foreign(among)
    (tmp_path / "state").mkdir()
    cgroups.refuse_foreign(among)
