"""The resources that a change of one config value updates, and those that it must never replace."""

import pytest

from mesh import names
from tests.support import recording
from tests.support.bad_config import put
from tests.support.inventory import Inventory, changed, plain, take_inventory
from tests.support.recording import RecordingMonitor, fingerprint
from tests.support.runs import Runs
from tests.support.stacks import LAB, OPERATOR, RANCHER, Stack

INTERMEDIATES = {
    recording.RANDOM_ID,
    recording.PRIVATE_KEY,
    recording.CERT_REQUEST,
    recording.LOCALLY_SIGNED_CERT,
    recording.SECRET,
}
GENERATIONS = {
    "links": (LAB, ("links", "tokenGeneration"), {recording.RANDOM_ID, recording.SECRET}),
    "intermediates": (LAB, ("trust", "intermediateGeneration"), INTERMEDIATES),
    "intermediates, with the operator": (OPERATOR, ("trust", "intermediateGeneration"), INTERMEDIATES),
    "Rancher's tokens": (
        RANCHER,
        ("rancher", "tokenGeneration"),
        {
            recording.RANDOM_ID,
            recording.RANCHER_TOKEN,
            recording.RANCHER_USER_TOKEN,
            recording.KUBERNETES_PROVIDER,
            recording.SECRET,
        },
    ),
}


def weights_by_cluster(monitor: RecordingMonitor) -> dict[str | None, list[object]]:
    """Return the weights in each cluster's VirtualServices."""
    found: dict[str | None, list[object]] = {}
    for route in monitor.find_all(recording.VIRTUAL_SERVICE):
        found.setdefault(monitor.provider_name(route), []).append(
            [part["weight"] for part in route.inputs["spec"]["http"][0]["route"]]
        )
    return found


def without_weights(inventory: Inventory) -> Inventory:
    """Return the inventory without the weights."""
    for entry in inventory.values():
        for rule in entry["inputs"].get("spec", {}).get("http", []):
            for part in rule["route"]:
                del part["weight"]
    return inventory


@pytest.mark.parametrize("weight", [0, 90, 100])
def test_a_weight_shift_changes_every_virtual_service_and_nothing_else(runs: Runs, weight: int) -> None:
    """In these, only the weights change."""
    monitors = [runs(LAB), runs(LAB, weight=weight)]
    before, after = (take_inventory(monitor) for monitor in monitors)
    routes = {urn for urn in before if recording.VIRTUAL_SERVICE in urn}
    assert len(routes) == 4
    assert changed(before, after) == routes
    assert without_weights(before) == without_weights(after)
    shares = [list(weights_by_cluster(monitor).values()) for monitor in monitors]
    assert shares == [[[[90, 10]] * 2] * 2, [[[100 - weight, weight]] * 2] * 2]
    assert monitors[0].exports == monitors[1].exports


@pytest.mark.parametrize(("stack", "place", "types"), GENERATIONS.values(), ids=GENERATIONS.keys())
def test_a_rotation_touches_what_it_renews_and_those_who_hold_it(
    runs: Runs, stack: str, place: tuple[str, str], types: set[str]
) -> None:
    """A rotation never changes a namespace, an Istio installation or the application."""
    before, after = runs(stack), rotated(runs.stack(stack), place).run()
    assert before.registrations.keys() == after.registrations.keys()
    moved = {
        found.type for found in after.recorded if fingerprint(found) != fingerprint(before.registrations[found.urn])
    }
    assert moved == types


def rotated(stack: Stack, place: tuple[str, str]) -> Stack:
    """Return the stack with the next generation."""
    return Stack(name=stack.name, values=put(stack.values, place, 2), secrets=stack.secrets)


def test_a_rotated_token_replaces_no_provider(runs: Runs) -> None:
    """The provider's identifier stays, and therefore everything that the provider created."""
    after = rotated(runs.stack(RANCHER), ("rancher", "tokenGeneration")).run()
    of_clusters = [found for found in after.find_all(recording.KUBERNETES_PROVIDER) if found.name != "charts"]
    assert len(of_clusters) == 4
    for found in of_clusters:
        before = runs(RANCHER).registrations[found.urn]
        differing = {key for key in found.inputs if found.inputs[key] != before.inputs[key]}
        assert differing == {"kubeconfig"}
        assert found.replacement_trigger is None


def test_a_rotated_certificate_replaces_no_secret(runs: Runs) -> None:
    """The Secret `cacerts` keeps its name, and is updated in place."""
    after = rotated(runs.stack(LAB), ("trust", "intermediateGeneration")).run()
    secrets = [found for found in after.find_all(recording.SECRET) if found.name.endswith("cacerts")]
    assert [plain(found.inputs["metadata"]) for found in secrets] == [
        {"name": names.CACERTS, "namespace": names.ISTIO_NAMESPACE}
    ] * 2


@pytest.mark.parametrize("reads", [True, False])
def test_readers_may_read_secrets_where_istiod_does(runs: Runs, *, reads: bool) -> None:
    """The setting without the right would leave a peer unsynced. The right without the setting would be unused."""
    stack = runs.stack(LAB)
    monitor = Stack(name=LAB, values=put(stack.values, ("links", "readSecrets"), reads)).run()
    resources = [
        {name for rule in role.inputs["rules"] for name in rule["resources"]}
        for role in monitor.find_all(recording.CLUSTER_ROLE)
        if role.name.endswith("-reader-role")
    ]
    assert ["secrets" in readable for readable in resources] == [reads] * 2
    switches = [
        found.inputs["values"]["env"]["PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER"]
        for found in monitor.find_all(recording.CHART)
        if found.inputs["name"] == "istiod"
    ]
    assert switches == ["true" if reads else "false"] * 2
