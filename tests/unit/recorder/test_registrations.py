"""The monitor that the stand-in and the tests share: what it decodes and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recorder.monitor import Monitor
from recorder.program import run_program
from recorder.registrations import Outcome, Registration, make_urn
from recorder.values import Secret, Unknown, from_wire

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import pulumi
import pulumi_kubernetes as k8s
import pulumi_tls as tls

class Box(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("mcsps:index:Box", name)
        mine = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(
            f"{name}-key",
            algorithm="ECDSA",
            opts=pulumi.ResourceOptions(
                parent=self, protect=True, aliases=[pulumi.Alias(name="old-key")]
            ),
        )
        provider = k8s.Provider(f"{name}-cluster", kubeconfig=pulumi.Output.secret("x"), opts=mine)
        k8s.core.v1.Secret(
            f"{name}-secret",
            metadata={"name": "cacerts"},
            string_data={"key": key.private_key_pem},
            opts=pulumi.ResourceOptions(
                parent=self, provider=provider, ignore_changes=["metadata.annotations"]
            ),
        )
        self.register_outputs({"key": key.private_key_pem})

Box("a")
pulumi.export("mesh", pulumi.Config("mcsps").require_object("mesh")["id"])
"""
BOX = "urn:pulumi:lab::mcsps::mcsps:index:Box::a"
KEY = "urn:pulumi:lab::mcsps::mcsps:index:Box$tls:index/privateKey:PrivateKey::a-key"
CACERTS = "urn:pulumi:lab::mcsps::mcsps:index:Box$kubernetes:core/v1:Secret::a-secret"


class Recorder(Monitor):
    """Gives every resource an id, and every key the same private key."""

    def carry_out(self, registration: Registration) -> Outcome:
        """Answer as an engine would: nothing new is known in a preview."""
        if self.preview:
            return Outcome(outputs=registration.inputs)
        made = {"privateKeyPem": Secret("pem")} if "PrivateKey" in registration.type else {}
        return Outcome(id=f"{registration.name}-id", outputs={**registration.inputs, **made})


def record(tmp_path: Path, text: str, *, preview: bool = False) -> Recorder:
    """Run a program from its text."""
    program = tmp_path / "__main__.py"
    program.write_text(text)
    recorder = Recorder(project="mcsps", stack="lab", preview=preview)
    run_program(program, recorder, {"mcsps:mesh": '{"id": "mesh-1"}'})
    return recorder


def test_urns_carry_the_types_of_all_ancestors_but_the_stack() -> None:
    """The chain is Pulumi's own: grandparents included, the stack left out."""

    def urn(parent: str | None, type_: str, name: str) -> str:
        return make_urn(stack="lab", project="mcsps", parent=parent, type_=type_, name=name)

    stack = urn(None, "pulumi:pulumi:Stack", "mcsps-lab")
    outer = urn(stack, "a:index:Outer", "outer")
    inner = urn(outer, "a:index:Inner", "inner")
    assert outer == "urn:pulumi:lab::mcsps::a:index:Outer::outer"
    assert urn(inner, "tls:index/privateKey:PrivateKey", "key") == (
        "urn:pulumi:lab::mcsps::a:index:Outer$a:index:Inner$tls:index/privateKey:PrivateKey::key"
    )


def test_a_registration_shows_options_parents_and_providers(tmp_path: Path) -> None:
    """What mocks hide from a test is all there."""
    recorder = record(tmp_path, PROGRAM)
    key, secret = recorder.registrations[KEY], recorder.registrations[CACERTS]
    assert key.parent == BOX
    assert key.protect
    assert key.aliases == (KEY.replace("a-key", "old-key"),)
    assert "privateKeyPem" in key.additional_secret_outputs
    assert secret.provider is not None
    assert secret.provider.endswith("pulumi:providers:kubernetes::a-cluster::a-cluster-id")
    assert secret.ignore_changes == ("metadata.annotations",)
    assert secret.dependencies == {KEY}
    assert secret.property_dependencies["stringData"] == {KEY}
    assert key.other_options == secret.other_options == ()


def test_secret_inputs_are_marked_and_never_shown(tmp_path: Path) -> None:
    """The mark survives the wire, and repr shows the mark alone."""
    recorder = record(tmp_path, PROGRAM)
    data = recorder.registrations[CACERTS].inputs["stringData"]
    assert data == Secret({"key": "pem"})
    assert "pem'" not in repr(recorder.registrations)
    assert recorder.component_outputs[BOX] == {"key": Secret("pem")}


def test_previews_hand_on_what_is_not_known_yet(tmp_path: Path) -> None:
    """An output that only the carrying out gives stays unknown in what depends on it."""
    recorder = record(tmp_path, PROGRAM, preview=True)
    data = recorder.registrations[CACERTS].inputs["stringData"]
    assert data == Secret(Unknown())
    assert recorder.component_outputs[BOX] == {"key": Unknown()}


def test_exports_come_from_the_config_that_was_given(tmp_path: Path) -> None:
    """Config reaches the program, and its exports come back."""
    assert record(tmp_path, PROGRAM).exports == {"mesh": "mesh-1"}


def test_two_resources_with_one_urn_are_refused(tmp_path: Path) -> None:
    """As Pulumi does; state is keyed by URN."""
    text = "import pulumi_random as random\n" + 'random.RandomId("a", byte_length=4)\n' * 2
    with pytest.raises(ValueError, match="RandomId::a"):
        record(tmp_path, text)


def test_options_that_are_not_decoded_are_listed_by_name(tmp_path: Path) -> None:
    """So that whoever carries out can refuse them."""
    recorder = record(
        tmp_path,
        "import pulumi, pulumi_random as random\n"
        'random.RandomId("a", byte_length=4, opts=pulumi.ResourceOptions('
        'import_="x", replace_on_changes=["keepers"]))',
    )
    (registration,) = (r for r in recorder.registrations.values() if r.name == "a")
    assert registration.other_options == ("importId", "replaceOnChanges")


def test_functions_of_providers_are_refused_by_name(tmp_path: Path) -> None:
    """An invoke that nobody answers is an error, not an empty result."""
    text = 'import pulumi_tls as tls\ntls.get_public_key(private_key_pem="x")'
    with pytest.raises(NotImplementedError, match="tls:index/getPublicKey:getPublicKey"):
        record(tmp_path, text)


def test_assets_are_refused() -> None:
    """A value whose signature is not understood is never passed on as a plain map."""
    signature = "4dabf18193072939515e22adb298388d"
    asset = {signature: "c44067f5952c0a294b673a41bacd8c17", "path": "/x"}
    with pytest.raises(ValueError, match="asset"):
        from_wire(asset)
