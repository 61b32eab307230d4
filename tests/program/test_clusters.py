"""One, two, three and five clusters: the resources that each cluster adds, and those that stay unchanged."""

import json
from collections import Counter
from itertools import pairwise, permutations

import pytest

from tests.support import recording
from tests.support.inventory import changed, plain, take_inventory
from tests.support.runs import Runs
from tests.support.stacks import LAB

NAMES = ("east", "west", "north", "south", "cluster-5")
SIZES = (1, 2, 3, 5)
NODE = Counter(
    {
        "access": 1 + 6,
        "trust": 4,
        "istio": 1 + 3 + 2,
        "charts": 5 + 2 + 8 + 3 * 3,
        "application": 1 + 5 + 2,
    }
)
LINK = 1 + 6
MESH = 1 + 3 + 1


@pytest.mark.parametrize("size", SIZES)
def test_resources_follow_a_formula(runs: Runs, size: int) -> None:
    """The number of clusters and the number of ordered pairs, which have links, determine the count."""
    monitor = runs(LAB, names=NAMES[:size])
    assert len(monitor.recorded) == MESH + size * NODE.total() + size * (size - 1) * LINK


@pytest.mark.parametrize("size", SIZES)
def test_each_cluster_reads_each_other_and_none_itself(runs: Runs, size: int) -> None:
    """There is one link for each ordered pair."""
    links = runs(LAB, names=NAMES[:size]).find_all("mcsps:index:MeshLink")
    assert {(found.inputs["source"], found.inputs["target"]) for found in links} == set(permutations(NAMES[:size], 2))
    assert len(links) == size * (size - 1)


@pytest.mark.parametrize(("fewer", "more"), list(pairwise(SIZES)))
def test_adding_clusters_touches_only_them_and_their_links(runs: Runs, fewer: int, more: int) -> None:
    """The existing resources stay unchanged, so the removal of a cluster affects as few of them."""
    before, after = (take_inventory(runs(LAB, names=NAMES[:size])) for size in (fewer, more))
    touched = changed(before, after)
    assert touched == after.keys() - before.keys()
    new = NAMES[fewer:more]
    assert [urn for urn in touched if not any(name in urn.rpartition("::")[2] for name in new)] == []


def test_taking_a_cluster_from_the_middle_touches_only_it_and_its_links(runs: Runs) -> None:
    """No name or value depends on a cluster's index in the list."""
    before = take_inventory(runs(LAB, names=("east", "west", "north")))
    after = take_inventory(runs(LAB, names=("east", "north")))
    touched = changed(before, after)
    assert touched == before.keys() - after.keys()
    assert [urn for urn in touched if "west" not in urn.rpartition("::")[2]] == []


def test_routing_is_the_same_in_every_cluster(runs: Runs) -> None:
    """The same rules apply at every ingress."""
    monitor = runs(LAB, names=NAMES[:3])
    for type_ in (recording.GATEWAY, recording.DESTINATION_RULE, recording.VIRTUAL_SERVICE):
        objects = Counter(json.dumps(plain(found.inputs), sort_keys=True) for found in monitor.find_all(type_))
        assert set(objects.values()) == {3}


def test_one_root_signs_for_all(runs: Runs) -> None:
    """With different roots, the clusters would not trust each other."""
    monitor = runs(LAB, names=NAMES)
    signed = monitor.find_all(recording.LOCALLY_SIGNED_CERT)
    assert len(signed) == len(NAMES)
    root = monitor.made(monitor.find(recording.SELF_SIGNED_CERT), "certPem")
    assert {found.inputs["caCertPem"] for found in signed} == {root}


def test_the_url_is_the_first_clusters_ingress(runs: Runs) -> None:
    """Each cluster's addresses are exported under the cluster's name."""
    exports = runs(LAB, names=NAMES[:3]).exports
    assert sorted(exports["clusters"]) == sorted(NAMES[:3])
    assert exports["url"] == f"http://{exports['clusters']['east']['ingressAddress']}/hello"
    addresses = [
        cluster[key] for cluster in exports["clusters"].values() for key in ("ingressAddress", "eastwestAddress")
    ]
    assert len(set(addresses)) == 6
