"""Namespaces and links of the lab, and others with the same names."""

import json
from pathlib import Path

import pytest

from lab.machine import network
from lab.spec import FABRIC, clusters


class Machine:
    """A double of `ip` that records the changes."""

    def __init__(self, here: dict[str, object], there: dict[str, object] | None) -> None:
        """Set the host's link and the fabric's end of it."""
        self.ends = {"host": [here], "fabric": [there] if there else []}
        self.changes: list[str] = []

    def run(self, *argv: str) -> str:
        """Return what `ip` prints."""
        if "show" in argv:
            return json.dumps(self.ends["fabric" if "-n" in argv else "host"])
        self.changes.append(" ".join(argv))
        return ""


HERE = {"ifname": FABRIC, "ifindex": 7, "link_index": 2}
THERE = {"ifname": "host", "ifindex": 2, "link_index": 7}


@pytest.mark.parametrize(
    ("here", "there", "is_own"),
    [
        (HERE, THERE, True),
        ({"ifname": FABRIC, "ifindex": 7}, THERE, False),
        (HERE, {**THERE, "ifindex": 3}, False),
        (HERE, {**THERE, "link_index": 8}, False),
        (HERE, None, False),
    ],
)
def test_only_the_link_that_leads_into_the_labs_fabric_is_deleted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    here: dict[str, object],
    there: dict[str, object] | None,
    *,
    is_own: bool,
) -> None:
    """`down` keeps a link of the same name that is not the lab's."""
    machine = Machine(here, there)
    monkeypatch.setattr(network, "run", machine.run)
    monkeypatch.setattr(network, "NETNS_DIR", tmp_path)
    monkeypatch.setattr(network, "is_namespace", lambda path: path == tmp_path / FABRIC)
    network.remove(())
    assert machine.changes == ([f"ip link delete {FABRIC}"] if is_own else [])


def test_a_link_is_foreign_while_the_lab_has_no_fabric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link's other end does not matter."""
    monkeypatch.setattr(network, "run", Machine(HERE, THERE).run)
    monkeypatch.setattr(network, "NETNS_DIR", tmp_path)
    assert not network.is_own_link()


def test_a_namespace_that_was_half_made_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed `ip` leaves a file that makes the next `ip netns add` fail."""
    machine = Machine(HERE, THERE)
    monkeypatch.setattr(network, "run", machine.run)
    monkeypatch.setattr(network, "NETNS_DIR", tmp_path)
    (tmp_path / FABRIC).touch()
    network.ensure_fabric()
    assert f"ip netns add {FABRIC}" in machine.changes
    assert not (tmp_path / FABRIC).exists()
    machine.changes.clear()
    monkeypatch.setattr(network, "is_namespace", lambda _: True)
    network.ensure_fabric()
    assert f"ip netns add {FABRIC}" not in machine.changes


@pytest.mark.parametrize("has_link", [True, False])
def test_a_node_goes_with_its_link_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_link: bool
) -> None:
    """The link is deleted first and by its own name, because the next node needs this name at once."""
    east, west = clusters(2)
    machine = Machine(HERE, {"ifname": east.bridge_port if has_link else west.bridge_port})
    monkeypatch.setattr(network, "run", machine.run)
    monkeypatch.setattr(network, "NETNS_DIR", tmp_path)
    monkeypatch.setattr(network, "is_namespace", lambda path: path == tmp_path / FABRIC)
    for name in (FABRIC, east.netns, west.netns):
        (tmp_path / name).touch()
    network.remove_node(east)
    link = [f"ip -n {FABRIC} link delete {east.bridge_port}"] if has_link else []
    assert machine.changes == [*link, f"ip netns delete {east.netns}"]


def test_a_node_that_is_gone_is_removed_once_more_without_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An example is a restart of the machine, after which the fabric is missing too."""
    machine = Machine(HERE, None)
    monkeypatch.setattr(network, "run", machine.run)
    monkeypatch.setattr(network, "NETNS_DIR", tmp_path / "gone")
    network.remove_node(clusters(1)[0])
    assert machine.changes == []
