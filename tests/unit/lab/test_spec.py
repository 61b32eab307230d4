"""Names, addresses and paths of any number of clusters."""

from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest

from errors import UserError
from lab import spec

ALL = spec.clusters(spec.MAX_CLUSTERS)


def test_first_clusters_are_named_after_the_compass() -> None:
    """The stack file of the lab contains these names."""
    assert [it.name for it in spec.clusters(5)] == ["east", "west", "north", "south", "cluster-5"]


def test_two_clusters_have_the_addresses_that_the_stack_file_may_rely_on() -> None:
    """Servers and pools are fixed, so that users can rely on them."""
    assert [it.server for it in ALL[:2]] == ["https://198.18.0.11:6443", "https://198.18.0.12:6443"]
    assert [it.pool for it in ALL[:2]] == [IPv4Network("198.18.11.0/24"), IPv4Network("198.18.12.0/24")]


def test_no_two_clusters_share_a_name_or_an_address() -> None:
    """This holds up to the maximum number of clusters."""
    for attribute in ("name", "address", "mac", "netns", "bridge_port", "cgroup", "directory"):
        assert len({getattr(it, attribute) for it in ALL}) == len(ALL), attribute


def test_pools_are_apart_from_each_other_and_from_the_nodes() -> None:
    """Only one node answers for an address of a pool."""
    assert not any(one.pool.overlaps(two.pool) for one, two in combinations(ALL, 2))
    assert not any(node.address in other.pool for node in ALL for other in ALL)
    assert not any(spec.HOST_ADDRESS.ip in it.pool for it in ALL)


def test_everything_is_on_the_one_segment_in_the_reserved_range() -> None:
    """No host needs a route, and no other network overlaps."""
    assert spec.FABRIC_NETWORK.subnet_of(spec.RESERVED_NETWORK)
    assert all(it.pool.subnet_of(spec.FABRIC_NETWORK) for it in ALL)
    assert all(it.interface.network == spec.FABRIC_NETWORK for it in ALL)


def test_names_of_links_fit_the_kernel() -> None:
    """A link's name has 15 characters at most."""
    assert all(len(name) <= 15 for name in (spec.FABRIC, spec.BRIDGE, *(it.bridge_port for it in ALL)))


@pytest.mark.parametrize("count", [-1, 0, 17])
def test_a_count_that_cannot_be_is_refused_with_what_can(count: int) -> None:
    """The error contains the range."""
    with pytest.raises(UserError) as caught:
        spec.clusters(count)
    assert str(count) in caught.value.message
    assert "1 to 16" in caught.value.remedy


def test_existing_clusters_are_those_up_to_the_last_folder(tmp_path: Path) -> None:
    """A partly removed lab is repaired as a whole."""
    assert spec.existing(tmp_path) == ()
    (tmp_path / "north").mkdir()
    assert [it.name for it in spec.existing(tmp_path)] == ["east", "west", "north"]


def test_an_unknown_cluster_is_refused_with_the_known_ones() -> None:
    """The error contains the possible names, or reports that the lab is down."""
    with pytest.raises(UserError) as caught:
        spec.find("esat", ALL[:2])
    assert "east, west" in caught.value.remedy
    with pytest.raises(UserError, match="down"):
        spec.find("east", ())
