"""Snapshots of all that the program registers for each stack file."""

import json

import pulumi
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from config.schema import Settings
from recorder.registrations import STACK_TYPE
from recorder.values import has_secret
from tests.support import recording
from tests.support.inventory import short, take_inventory, unknown_places
from tests.support.recording import record
from tests.support.runs import Runs
from tests.support.stacks import LAB, RANCHER, ROOT

COMPONENTS = {
    "mcsps:index:HelloworldApp",
    "mcsps:index:IstioInstall",
    "mcsps:index:MeshLink",
    "mcsps:index:MeshTrust",
    "mcsps:index:RancherCluster",
    recording.CHART,
}
NEEDS_A_PROVIDER = ("kubernetes:", "rancher2:")


def test_an_update_registers_what_was_reviewed(runs: Runs, stack: str, snapshot: SnapshotAssertion) -> None:
    """Each difference is a change of real clusters. Read it before you accept it."""
    assert take_inventory(runs(stack)) == snapshot


def test_the_outputs_are_what_was_reviewed(runs: Runs, stack: str, snapshot: SnapshotAssertion) -> None:
    """Scripts read the outputs."""
    assert runs(stack).exports == snapshot


def test_a_first_preview_leaves_open_what_was_reviewed(runs: Runs, stack: str, snapshot: SnapshotAssertion) -> None:
    """All other values are already known in the preview, and equal to those of the update."""
    preview, update = (take_inventory(runs(stack, preview=preview)) for preview in (True, False))
    assert preview.keys() == update.keys()
    for urn, entry in preview.items():
        assert fits(entry, update[urn]), urn
    assert {urn: places for urn, entry in preview.items() if (places := unknown_places(entry))} == snapshot


def fits(preview: object, update: object) -> bool:
    """Return whether a preview has the values of the update, apart from unknown ones."""
    match preview, update:
        case "[unknown]", _:
            return True
        case dict(), dict():
            return preview.keys() == update.keys() and all(fits(item, update[key]) for key, item in preview.items())
        case list(), list():
            return len(preview) == len(update) and all(fits(*pair) for pair in zip(preview, update, strict=True))
        case _:
            return preview == update


def test_two_runs_register_the_same(runs: Runs, stack: str, *, preview: bool) -> None:
    """The order of lists is the same as well. Otherwise a second preview would show changes."""
    first, second = runs(stack, preview=preview), runs.stack(stack).run(preview=preview)
    texts = [json.dumps(take_inventory(monitor), sort_keys=True) for monitor in (first, second)]
    assert texts[0] == texts[1]
    needs = [{found.urn: found.dependencies for found in monitor.recorded} for monitor in (first, second)]
    assert needs[0] == needs[1]
    assert first.exports == second.exports


def test_defaults_that_pulumi_yaml_declares_change_nothing(runs: Runs, stack: str) -> None:
    """Pulumi passes all of them to the program, including empty objects and lists."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = {key: said["default"] for key, said in project.items() if "default" in said}
    assert defaults.keys() == {str(info.alias) for info in Settings.model_fields.values() if not info.is_required()}
    assert [key for key, value in defaults.items() if value] == []
    config = runs.stack(stack)
    declared = config.changed(**{key: value for key, value in defaults.items() if key not in config.values})
    assert take_inventory(declared.run()) == take_inventory(runs(stack))


@pytest.mark.parametrize("package", NEEDS_A_PROVIDER)
def test_every_resource_in_a_cluster_has_an_explicit_provider(
    runs: Runs, stack: str, package: str, *, preview: bool
) -> None:
    """A default provider would use the cluster of the user's current kubectl context."""
    monitor = runs(stack, preview=preview)
    inside = [found for found in monitor.recorded if found.custom and found.type.startswith(package)]
    assert [found.name for found in inside if found.provider is None] == []
    assert bool(inside) == (package == "kubernetes:" or stack != LAB)


def test_every_kubernetes_provider_is_named_by_its_cluster(runs: Runs, stack: str, *, preview: bool) -> None:
    """A new or unknown kubeconfig then replaces nothing. The provider that renders charts has no cluster."""
    providers = runs(stack, preview=preview).find_all(recording.KUBERNETES_PROVIDER)
    names = [cluster["name"] for cluster in runs.stack(stack).values["clusters"]]
    identifiers = {found.name: found.inputs["clusterIdentifier"] for found in providers}
    assert identifiers.pop("charts", "none") == "none"
    assert identifiers == {f"{name}-kubernetes{role}": name for name in names for role in ("", "-crds")}


def test_every_object_reports_what_it_takes_from_other_managers(runs: Runs, stack: str, *, preview: bool) -> None:
    """The hook is that of the provider's cluster. CRDs, which may exist already, also report their adoption."""
    monitor = runs(stack, preview=preview)
    objects = [found for found in monitor.recorded if found.custom and found.type.startswith("kubernetes:")]
    for found in objects:
        cluster = (monitor.provider_name(found) or "").removesuffix("-crds").removesuffix("-kubernetes")
        moments = {"before_update": (f"{cluster}-takeover",)}
        if found.type.endswith(":CustomResourceDefinition"):
            moments["after_create"] = (f"{cluster}-adoption",)
        if found.inputs.get("spec", {}).get("type") == "LoadBalancer":
            moments["on_error"] = (f"{found.name}-address",)
        assert found.hooks == moments, found.name
    assert {found.urn for found in monitor.recorded if found.hooks} == {found.urn for found in objects}


@pytest.mark.parametrize("stack", [LAB, RANCHER])
def test_default_providers_are_switched_off(stack: str) -> None:
    """They are disabled for the packages whose resources are in a cluster or in Rancher."""
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert config["pulumi:disable-default-providers"] == ["kubernetes", "rancher2"]


def test_every_resource_belongs_to_a_component(runs: Runs, stack: str, *, preview: bool) -> None:
    """Directly below the stack are only components, and the providers that belong to no cluster."""
    monitor = runs(stack, preview=preview)
    below = {
        found.type
        for found in monitor.recorded
        if found.parent is None or monitor.registrations[found.parent].type == STACK_TYPE
    }
    has_charts = bool(monitor.find_all(recording.CHART))
    own = COMPONENTS - {recording.CHART}
    providers = {recording.KUBERNETES_PROVIDER} if has_charts else set()
    assert below == own | providers | (set() if stack == LAB else {recording.RANCHER_PROVIDER})
    parents = {monitor.registrations[found.parent].type for found in monitor.recorded if found.parent}
    assert parents == (COMPONENTS if has_charts else own) | {STACK_TYPE}


def test_every_component_says_when_it_is_done(runs: Runs, stack: str) -> None:
    """The component registers its outputs, and none of them is secret."""
    monitor = runs(stack)
    components = {found.urn for found in monitor.recorded if found.type in COMPONENTS}
    assert components <= monitor.component_outputs.keys()
    assert [short(urn) for urn, outputs in monitor.component_outputs.items() if has_secret(outputs)] == []


def test_nothing_of_istio_s_kinds_waits_for_its_webhook_to_be_deleted(runs: Runs, stack: str) -> None:
    """An update removes a finalizer, and istiod must admit the update. At that time istiod may no longer run."""
    found = [
        resource for resource in runs(stack).recorded if ".istio.io/" in str(resource.inputs.get("apiVersion", ""))
    ]
    assert found
    policy = "pulumi.com/deletionPropagationPolicy"
    assert {resource.inputs["metadata"].get("annotations", {}).get(policy) for resource in found} == {"background"}


def test_only_the_real_root_is_protected(runs: Runs) -> None:
    """The lab is always deleted as a whole."""
    protected = {
        stack: {found.name for found in runs(stack).recorded if found.protect} for stack in ("lab", "mcsps-test")
    }
    assert protected == {"lab": set(), "mcsps-test": {"trust-root-key", "trust-root-certificate"}}


def test_no_option_is_used_that_the_stand_in_does_not_know(runs: Runs, stack: str) -> None:
    """The stand-in would refuse such an option by name."""
    assert {found.other_options for found in runs(stack).recorded} == {()}


def test_an_output_in_a_text_stops_the_program() -> None:
    """The SDK would put a warning into the text, and thereby into a resource."""

    def body() -> None:
        pulumi.export("url", f"http://{pulumi.Output.from_input('host')}/hello")

    with pytest.raises(Exception, match="an Output"):
        record(body)
