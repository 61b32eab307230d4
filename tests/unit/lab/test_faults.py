"""Cuts of the network and their removal, on a double of `iptables`."""

import os
import shlex
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from typer.testing import CliRunner

from errors import UserError
from lab import cli, faults, spec
from lab.machine import lock

EAST, WEST = spec.clusters(2)
POD, OTHER = IPv4Address("10.42.0.7"), IPv4Address("10.42.0.8")
OF_KUBE_PROXY = "-A FORWARD -m comment --comment 'kubernetes forwarding rules' -j KUBE-FORWARD"
OWN_COMMENT = "-m comment --comment mcsps-lab-cut"


class Node:
    """A double of `iptables` in one node: a list of rules in each table, as `-S` prints them."""

    def __init__(self) -> None:
        self.rules: dict[str, list[str]] = {"filter": [OF_KUBE_PROXY], "mangle": []}
        self.namespaces: set[tuple[str, ...]] = set()

    def run(self, *argv: str) -> str:
        """Insert a rule at the head, delete one, or list all; the lab must not use other commands."""
        split = argv.index("--")
        self.namespaces.add(argv[:split])
        name, wait, option, table, action, *rest = argv[split + 1 :]
        assert (name, wait, option) == ("iptables", "--wait", "--table")
        rule = shlex.join(["-A", *rest])
        match action:
            case "-S":
                return "\n".join(["-P FORWARD ACCEPT", *self.rules[table]]) + "\n"
            case "-I":
                self.rules[table].insert(0, rule)
            case "-D":
                self.rules[table].remove(rule)
            case _:
                pytest.fail(f"{action} is no action")
        return ""


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as root, which cuts require."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a node with a rule of kube-proxy."""
    double = Node()
    monkeypatch.setattr(faults, "run", double.run)
    return double


def test_a_silent_node_neither_hears_nor_says_anything(node: Node) -> None:
    """The rules are for its link, so traffic inside of the node continues."""
    faults.cut(EAST, is_silent=True)
    assert sorted(node.rules["mangle"]) == [
        f"-A POSTROUTING -o eth0 {OWN_COMMENT} -j DROP",
        f"-A PREROUTING -i eth0 {OWN_COMMENT} -j DROP",
    ]
    assert node.rules["filter"] == [OF_KUBE_PROXY]


def test_a_refusing_node_resets_what_comes_in_before_kube_proxy_accepts_it(node: Node) -> None:
    """This holds for connections to the node and to pods."""
    faults.cut(EAST, is_silent=False)
    assert node.rules["mangle"] == []
    *ours, last = node.rules["filter"]
    assert last == OF_KUBE_PROXY
    assert sorted(ours) == [
        f"-A {chain} -i eth0 -p tcp {OWN_COMMENT} -j REJECT --reject-with tcp-reset" for chain in ("FORWARD", "INPUT")
    ]


def test_a_silent_pod_is_cut_off_from_other_pods_and_not_from_its_kubelet(node: Node) -> None:
    """The kubelet's probes come from the node and do not pass FORWARD, so the pod stays ready."""
    faults.cut(EAST, [POD, OTHER], is_silent=True)
    assert {rule.split()[1] for rule in node.rules["mangle"]} == {"FORWARD"}
    assert {rule.split()[2] + rule.split()[3] for rule in node.rules["mangle"]} == {
        f"{way}{pod}" for way in ("-d", "-s") for pod in (POD, OTHER)
    }


def test_no_pods_are_not_the_whole_node(node: Node) -> None:
    """An empty list cuts nothing off."""
    faults.cut(EAST, [], is_silent=True)
    faults.cut(EAST, [], is_silent=False)
    assert node.rules == {"filter": [OF_KUBE_PROXY], "mangle": []}


def test_a_refusing_pod_resets(node: Node) -> None:
    """It resets only connections to the pod."""
    faults.cut(EAST, [POD], is_silent=False)
    rule = f"-A FORWARD -d {POD} -p tcp {OWN_COMMENT} -j REJECT --reject-with tcp-reset"
    assert node.rules["filter"] == [rule, OF_KUBE_PROXY]


def test_whatever_was_cut_a_heal_takes_back_and_nothing_else(node: Node) -> None:
    """This includes a repeated cut, as after a killed drill, and a heal without a cut."""
    for _ in range(2):
        for pods in (None, [POD]):
            for is_silent in (True, False):
                faults.cut(EAST, pods, is_silent=is_silent)
    for _ in range(2):
        faults.heal(EAST)
        assert node.rules == {"filter": [OF_KUBE_PROXY], "mangle": []}


def test_it_is_the_nodes_own_packet_filter(node: Node) -> None:
    """The host's filter stays unchanged, and the lock is that of the node's kube-proxy."""
    faults.cut(EAST, is_silent=True)
    faults.heal(EAST)
    assert node.namespaces == {("nsenter", f"--net={EAST.netns_path}", f"--mount={EAST.mountns_path}")}


def test_the_nodes_are_found_by_their_kubeconfigs(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their names in the stack do not matter."""
    monkeypatch.setattr(faults, "existing", lambda: spec.clusters(2))
    nodes = faults.Nodes.behind({"a": WEST.kubeconfig, "b": EAST.kubeconfig})
    nodes.cut("a", [str(POD)], is_silent=True)
    assert node.namespaces == {("nsenter", f"--net={WEST.netns_path}", f"--mount={WEST.mountns_path}")}
    nodes.heal("a")
    assert node.rules["mangle"] == []


@pytest.mark.parametrize("foreign", [None, Path("/root/.kube/config")], ids=["no kubeconfig", "another one"])
def test_a_cluster_that_is_not_the_labs_is_refused(monkeypatch: pytest.MonkeyPatch, foreign: Path | None) -> None:
    """One foreign cluster is enough: the drill disconnects only clusters of the lab."""
    monkeypatch.setattr(faults, "existing", lambda: spec.clusters(2))
    with pytest.raises(UserError, match=r"^These clusters have no kubeconfig of the lab: prod\."):
        faults.Nodes.behind({"east": EAST.kubeconfig, "prod": foreign})


def test_a_lab_that_is_down_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error contains the command that starts it."""
    monkeypatch.setattr(faults, "existing", tuple)
    with pytest.raises(UserError, match="the lab is down"):
        faults.Nodes.behind({"east": EAST.kubeconfig})


def test_the_commands_cut_and_heal(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users can run them; a text that is no address is refused."""
    monkeypatch.setattr(lock, "_NAME", f"\0mcsps-lab-test-{os.getpid()}")
    monkeypatch.setattr(cli, "existing", lambda: spec.clusters(2))
    assert CliRunner().invoke(cli.app, ["cut", "west"]).exit_code == 0
    assert len(node.rules["mangle"]) == 2
    assert CliRunner().invoke(cli.app, ["cut", "west", "--refusing", "--pod", str(POD)]).exit_code == 0
    assert len(node.rules["filter"]) == 2
    assert CliRunner().invoke(cli.app, ["cut", "west", "--pod", "helloworld"]).exit_code == 2
    assert CliRunner().invoke(cli.app, ["heal", "west"]).exit_code == 0
    assert node.rules == {"filter": [OF_KUBE_PROXY], "mangle": []}
