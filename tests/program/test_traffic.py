"""Audiences, localities and failover in the whole program: what each of them changes, and what stays unchanged."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.support import recording
from tests.support.bad_config import put
from tests.support.inventory import Inventory, changed, plain, take_inventory
from tests.support.recording import RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, Stack, in_regions

TEAM = {"name": "team", "version": "v2", "header": {"name": "x-team", "exact": "test"}}
EUROPE = {"name": "europe", "version": "v1", "region": "eu"}
ROUTING = (recording.GATEWAY, recording.DESTINATION_RULE, recording.VIRTUAL_SERVICE)


@pytest.fixture
def regions(runs: Runs) -> Stack:
    """Return the lab's stack in two regions, with both versions in each cluster."""
    stack = in_regions(runs.stack(LAB), "eu", "us")
    for index in range(2):
        stack = Stack(name=LAB, values=put(stack.values, ("clusters", index, "versions"), ["v1", "v2"]))
    return stack


def types(urns: set[str]) -> set[str]:
    """Return the types of resources."""
    return {urn.split("::")[0].rpartition("$")[2] for urn in urns}


def specs(monitor: RecordingMonitor, type_: str) -> list[dict[str, Any]]:
    """Return the specs of all objects of a type."""
    return [plain(found.inputs["spec"]) for found in monitor.find_all(type_)]


def differing_lines(before: Inventory, after: Inventory, urn: str) -> int:
    """Return how many lines of one object differ."""
    lines = [json.dumps(each[urn], indent=1).splitlines() for each in (before, after)]
    assert len(lines[0]) == len(lines[1])
    return sum(old != new for old, new in zip(*lines, strict=True))


def test_a_weight_shift_beside_audiences_and_failover_is_one_line_for_each_version(regions: Stack) -> None:
    """The lines are in every VirtualService, and no other object changes."""
    stack = regions.changed(audiences=[TEAM, EUROPE])
    before, after = (take_inventory(each.run()) for each in (stack, stack.changed(v2Weight=50)))
    touched = changed(before, after)
    assert len(touched) == 4
    assert types(touched) == {recording.VIRTUAL_SERVICE}
    assert {differing_lines(before, after, urn) for urn in touched} == {2}


def test_a_new_audience_changes_virtual_services_alone(regions: Stack) -> None:
    """An audience can be added and removed without waiting, because the subsets exist all the time."""
    without, with_it = (take_inventory(each.run()) for each in (regions, regions.changed(audiences=[TEAM])))
    assert types(changed(without, with_it)) == {recording.VIRTUAL_SERVICE}


@pytest.mark.parametrize("versions", [["v1"], ["v2"], ["v1", "v2"]])
def test_no_subset_ever_goes_away(regions: Stack, versions: list[str]) -> None:
    """A rule is updated before its routes, so requests would otherwise go to a subset that no longer exists."""
    stack = regions.changed(v2Weight=0 if "v1" in versions else 100)
    for index in range(2):
        stack = Stack(name=LAB, values=put(stack.values, ("clusters", index, "versions"), versions))
    subsets = [rule["subsets"] for rule in specs(stack.run(), recording.DESTINATION_RULE)]
    assert subsets == [[{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]] * 2


def test_routing_with_audiences_and_failover_is_the_same_in_every_cluster(regions: Stack) -> None:
    """A region is expressed as its clusters, so it does not depend on the cluster of the object."""
    monitor = regions.changed(audiences=[TEAM, EUROPE]).run()
    for type_ in ROUTING:
        objects = Counter(json.dumps(plain(found.inputs), sort_keys=True) for found in monitor.find_all(type_))
        assert set(objects.values()) == {2}
    ingress, *_ = specs(monitor, recording.VIRTUAL_SERVICE)
    matches = {route["name"]: route["match"] for route in ingress["http"][:2]}
    assert [match.get("sourceLabels") for match in matches["team"]] == [None]
    assert [match["sourceLabels"] for match in matches["europe"]] == [{"topology.istio.io/cluster": "east"}]


def test_localities_switch_failover_on_and_one_key_switches_it_off(runs: Runs, regions: Stack) -> None:
    """Without failover, the routing is the same as without localities."""
    on, off = (specs(each.run(), recording.DESTINATION_RULE) for each in (regions, switched_off(regions)))
    setting = on[0]["trafficPolicy"]["loadBalancer"]["localityLbSetting"]
    assert setting["failover"] == [{"from": "eu", "to": "us"}, {"from": "us", "to": "eu"}]
    assert off == specs(runs(LAB), recording.DESTINATION_RULE)
    assert specs(switched_off(regions).run(), recording.VIRTUAL_SERVICE) == specs(runs(LAB), recording.VIRTUAL_SERVICE)


def switched_off(stack: Stack) -> Stack:
    """Return the stack without failover."""
    return stack.changed(failover={"enabled": False})


def test_an_order_of_failover_is_laid_over_that_of_the_clusters(runs: Runs) -> None:
    """Regions that the given order does not contain keep their order."""
    stack = in_regions(runs.stack(LAB, names=("east", "west", "north", "south")), "eu", "us", "asia", "us")
    ordered = stack.changed(failover={"order": [{"from": "eu", "to": "asia"}]})
    found = [
        {
            step["from"]: step["to"]
            for step in specs(each.run(), recording.DESTINATION_RULE)[0]["trafficPolicy"]["loadBalancer"][
                "localityLbSetting"
            ]["failover"]
        }
        for each in (stack, ordered)
    ]
    assert found == [{"eu": "us", "us": "asia", "asia": "eu"}, {"eu": "asia", "us": "asia", "asia": "eu"}]


def test_what_a_locality_adds_to_pods_is_all_that_it_changes_beside_the_routing(runs: Runs) -> None:
    """The program does not manage nodes, so the pods of helloworld and of the gateways have the label."""
    stack = in_regions(runs.stack(LAB), "eu", "eu")
    before, after = (take_inventory(each.run()) for each in (runs.stack(LAB), stack))
    touched = changed(before, after)
    assert types(touched) == {recording.CHART, recording.DEPLOYMENT}
    assert len(touched) == 2 * (3 + 3 + 1)
    assert '"topology.istio.io/locality": "eu"' in json.dumps([after[urn] for urn in touched])


def test_a_version_that_one_cluster_alone_runs_keeps_its_share(runs: Runs) -> None:
    """The weights choose a version before the locality has an effect."""
    with_regions = in_regions(runs.stack(LAB), "eu", "us").run()
    for spec, before in zip(
        specs(with_regions, recording.VIRTUAL_SERVICE), specs(runs(LAB), recording.VIRTUAL_SERVICE), strict=True
    ):
        assert [part["weight"] for part in spec["http"][0]["route"]] == [90, 10]
        assert spec["http"][0].pop("retries")
        assert spec == before


def test_routes_wait_for_subsets_and_never_for_pods(regions: Stack) -> None:
    """A change of the weight to 0 must succeed even if the pods of a version do not start."""
    monitor = regions.changed(audiences=[TEAM]).run()
    for route in monitor.find_all(recording.VIRTUAL_SERVICE):
        cluster = route.name.partition("-")[0]
        needs = {need for need in monitor.depends_on(route) if need.startswith(f"{cluster}-helloworld")}
        assert needs == {f"{cluster}-helloworld-destination-rule"}
