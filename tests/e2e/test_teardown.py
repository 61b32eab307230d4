"""The end of the lab. The name makes pytest run this module last, so it checks what all other tests left."""

import pytest

from tests.e2e import machine
from tests.e2e.checkout import ROOT, run_module
from tests.e2e.conftest import Lab

pytestmark = pytest.mark.e2e


def test_up_again_is_one_up(lab: Lab) -> None:
    """A second `up` restarts no process."""
    before = machine.look()
    run_module(ROOT, "lab", "up").must_succeed()
    assert not before.differences(machine.look())
    run_module(ROOT, "lab", "status").must_succeed()
    del lab


def test_down_leaves_this_machine_as_it_was_before_up(lab: Lab) -> None:
    """The snapshots have processes, namespaces, links, routes, mounts, cgroups, firewall, settings and folders."""
    if lab.before is None:
        pytest.skip("the lab was up before these tests, so it belongs to the user, and stays")
    run_module(ROOT, "lab", "down").must_succeed()
    assert not lab.before.differences(machine.look())
