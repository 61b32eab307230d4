"""The monitor that the stand-in and the tests share: what it decodes and what it refuses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pulumi
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.rpc import UNKNOWN

from recorder.monitor import Monitor
from recorder.program import run_program
from recorder.registrations import Outcome, Reading, Registration, make_urn
from recorder.values import Properties, Reference, Secret, Unknown, from_struct, from_wire, to_struct, to_wire

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

    def apply(self, registration: Registration) -> Outcome:
        """Answer as an engine would: nothing new is known in a preview."""
        if self.preview:
            return Outcome(outputs=registration.inputs)
        made = {"privateKeyPem": Secret("pem")} if "PrivateKey" in registration.type else {}
        return Outcome(id=f"{registration.name}-id", outputs={**registration.inputs, **made})


def record(tmp_path: Path, text: str, *, preview: bool = False, monitor: type[Recorder] = Recorder) -> Recorder:
    """Run a program from its text."""
    program = tmp_path / "__main__.py"
    program.write_text(text)
    recorder = monitor(project="mcsps", stack="lab", preview=preview)
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
    """The recording contains what mocks hide from a test."""
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
    """In a preview, an output that only an update sets stays unknown in everything that depends on it."""
    recorder = record(tmp_path, PROGRAM, preview=True)
    data = recorder.registrations[CACERTS].inputs["stringData"]
    assert data == Secret(Unknown())
    assert recorder.component_outputs[BOX] == {"key": Unknown()}


def test_exports_come_from_the_config_that_was_given(tmp_path: Path) -> None:
    """Config reaches the program, and its exports come back."""
    assert record(tmp_path, PROGRAM).exports == {"mesh": "mesh-1"}


def test_two_resources_with_one_urn_are_refused(tmp_path: Path) -> None:
    """Pulumi refuses them too, because its state is keyed by URN."""
    text = "import pulumi_random as random\n" + 'random.RandomId("a", byte_length=4)\n' * 2
    with pytest.raises(ValueError, match="RandomId::a"):
        record(tmp_path, text)


def test_options_that_are_not_decoded_are_listed_by_name(tmp_path: Path) -> None:
    """An engine that applies the resources can then refuse them."""
    recorder = record(
        tmp_path,
        "import pulumi, pulumi_random as random\n"
        'random.RandomId("a", byte_length=4, opts=pulumi.ResourceOptions('
        'import_="x", replace_on_changes=["keepers"]))',
    )
    (registration,) = (r for r in recorder.registrations.values() if r.name == "a")
    assert registration.other_options == ("importId", "replaceOnChanges")


def test_functions_of_providers_are_refused_by_name(tmp_path: Path) -> None:
    """An invoke without an answer is an error, not an empty result."""
    text = 'import pulumi_tls as tls\ntls.get_public_key(private_key_pem="x")'
    with pytest.raises(NotImplementedError, match="tls:index/getPublicKey:getPublicKey"):
        record(tmp_path, text)


SERVICE_GET = """
import pulumi, pulumi_kubernetes as k8s
found = k8s.core.v1.Service.get("dns", "kube-system/kube-dns")
pulumi.export("ip", found.spec.cluster_ip)
"""


def test_what_exists_already_is_read_where_a_monitor_can_and_else_refused_by_name(tmp_path: Path) -> None:
    """Without a read, the resource would have no properties."""

    class Reader(Recorder):
        def read(self, reading: Reading) -> Outcome:
            return Outcome(id=reading.id, outputs={"spec": {"clusterIP": f"10.0.0.1 of {reading.id}"}})

    recorder = record(tmp_path, SERVICE_GET, monitor=Reader)
    assert recorder.exports == {"ip": "10.0.0.1 of kube-system/kube-dns"}
    with pytest.raises(NotImplementedError, match=r"kubernetes:core/v1:Service\.get \(dns\) is not supported here"):
        record(tmp_path, SERVICE_GET)


def test_functions_of_providers_are_answered_where_a_monitor_can(tmp_path: Path) -> None:
    """The monitor gets the arguments of the program."""

    class Answering(Recorder):
        def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
            return {"publicKeyPem": f"{token} of {arguments['privateKeyPem']}{provider}"}

    text = (
        'import pulumi, pulumi_tls as tls\npulumi.export("key", tls.get_public_key(private_key_pem="x").public_key_pem)'
    )
    recorder = record(tmp_path, text, monitor=Answering)
    assert recorder.exports == {"key": "tls:index/getPublicKey:getPublicKey of x"}


def test_a_function_is_called_several_times_at_once_by_an_asynchronous_program(tmp_path: Path) -> None:
    """With the explicit provider, and with what `pulumi.run` exports; each call waits for the other one."""
    together = threading.Barrier(2, timeout=10)

    class Answering(Recorder):
        def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
            together.wait()
            return {"made": f"{token} of {arguments['name']} by {provider.rpartition('::')[2]}"}

    text = """
import asyncio, pulumi, pulumi_kubernetes as k8s

async def main():
    charts = k8s.Provider("charts", kubeconfig="none")
    options = pulumi.InvokeOptions(provider=charts)
    calls = [pulumi.runtime.invoke_async("kubernetes:helm:template", {"name": name}, options) for name in "ab"]
    return {"made": [found["made"] for found in await asyncio.gather(*calls)]}

pulumi.run(main)
"""
    for preview, provider in ((False, "charts-id"), (True, UNKNOWN)):
        recorder = record(tmp_path, text, monitor=Answering, preview=preview)
        assert recorder.exports == {"made": [f"kubernetes:helm:template of {name} by {provider}" for name in "ab"]}


def test_an_error_of_an_asynchronous_program_is_the_runs_error(tmp_path: Path) -> None:
    """As one of the program's file."""
    text = 'import pulumi\nasync def main():\n    raise pulumi.RunError("enough")\npulumi.run(main)'
    with pytest.raises(pulumi.RunError, match="enough"):
        record(tmp_path, text)


def test_an_alias_of_a_component_reaches_what_is_in_it(tmp_path: Path) -> None:
    """The SDK sends an alias as its parts, and leaves those of the contents to the engine."""
    text = """
import pulumi, pulumi_random as random
opts = pulumi.ResourceOptions
chart = pulumi.ComponentResource(
    "mcsps:index:Chart", "web", {}, opts(aliases=[pulumi.Alias(type_="kubernetes:helm.sh/v4:Chart", name="shop")])
)
random.RandomId("web-key", byte_length=4, opts=opts(parent=chart, aliases=[pulumi.Alias(name="web-old")]))
random.RandomId("other", byte_length=4, opts=opts(parent=chart))
random.RandomId("moved", byte_length=4, opts=opts(parent=chart, aliases=[
    pulumi.Alias(parent="urn:pulumi:lab::mcsps::a:index:A::a"),
    pulumi.Alias(parent=None),
    "urn:pulumi:lab::mcsps::b:c:D::e",
]))
"""
    aliases = {found.name: set(found.aliases) for found in record(tmp_path, text).registrations.values()}
    key, old, new = "random:index/randomId:RandomId", "kubernetes:helm.sh/v4:Chart", "mcsps:index:Chart"
    urn = "urn:pulumi:lab::mcsps::"
    assert aliases["web"] == {f"{urn}{old}::shop"}
    assert aliases["web-key"] == {
        f"{urn}{new}${key}::web-old",
        f"{urn}{old}${key}::shop-key",
        f"{urn}{old}${key}::shop-old",
    }
    assert aliases["other"] == {f"{urn}{old}${key}::other"}
    assert aliases["moved"] >= {f"{urn}a:index:A${key}::moved", f"{urn}{key}::moved", f"{urn}b:c:D::e"}


def test_a_resource_that_is_registered_is_found_by_its_urn_and_no_other(tmp_path: Path) -> None:
    """The SDK does this for a resource that is passed as a value."""
    recorder = record(tmp_path, PROGRAM)

    def look_up(urn: str) -> Properties:
        request = resource_pb2.ResourceInvokeRequest(tok="pulumi:pulumi:getResource", args=to_struct({"urn": urn}))
        return from_struct(getattr(recorder.Invoke(request), "return"))

    assert look_up(KEY)["id"] == "a-key-id"
    assert look_up(KEY)["state"]["privateKeyPem"] == Secret("pem")
    with pytest.raises(ValueError, match="no resource urn:of:none is registered"):
        look_up("urn:of:none")


def test_what_a_monitor_leaves_open_is_an_error() -> None:
    """The error names the request."""
    monitor = Monitor(project="mcsps", stack="lab", preview=False)
    with pytest.raises(NotImplementedError, match="ResourceCallRequest is not supported here"):
        monitor.Call(resource_pb2.ResourceCallRequest())
    with pytest.raises(NotImplementedError):
        monitor.RegisterResource(resource_pb2.RegisterResourceRequest(type="a:index:A", name="a"))
    with pytest.raises(NotImplementedError, match="a:index:f"):
        monitor.mocks.call(MockCallArgs(token="a:index:f", args={}, provider=""))  # noqa: S106 - a function's name
    with pytest.raises(NotImplementedError, match="a:index:A"):
        monitor.mocks.new_resource(
            MockResourceArgs(typ="a:index:A", name="a", inputs={}, provider="", resource_id="", custom=True)
        )


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, "b", None, True]},
        Secret({"deep": ["x"]}),
        Reference("urn:a", "id-a"),
        Reference("urn:a"),
        Reference("urn:a", Unknown()),
    ],
)
def test_a_value_survives_the_wire(value: object) -> None:
    """Its marks survive too; an unknown id is an empty id there."""
    back = from_wire(to_wire(value))
    unknown_id = isinstance(value, Reference) and isinstance(value.id, Unknown)
    assert back == (Reference("urn:a", "") if unknown_id else value)


def test_assets_are_refused() -> None:
    """A value whose signature is not understood is never passed on as a plain map."""
    signature = "4dabf18193072939515e22adb298388d"
    asset = {signature: "c44067f5952c0a294b673a41bacd8c17", "path": "/x"}
    with pytest.raises(ValueError, match="asset"):
        from_wire(asset)
