"""Programs without a cluster in the stand-in: steps, state, refusals."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from errors import UserError
from lab.standin.display import Display
from lab.standin.plan import Step
from lab.standin.run import begin
from lab.standin.stack import Stack
from lab.standin.state import Entry, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = """
import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
import pulumi_tls as tls
config = pulumi.Config("mcsps")
opts = pulumi.ResourceOptions
"""
TRUST = """
generation = random.RandomId("generation", byte_length=8, keepers={"generation": config.require("generation")})
key = tls.PrivateKey(
    "key", algorithm="ECDSA", ecdsa_curve="P256",
    opts=opts(replacement_trigger=generation.hex, protect=config.get_bool("protect")),
)
certificate = tls.SelfSignedCert(
    "certificate", private_key_pem=key.private_key_pem, validity_period_hours=24,
    early_renewal_hours=int(config.get("early") or 0), allowed_uses=["cert_signing"], is_ca_certificate=True,
    subject={"common_name": "root"},
)
pulumi.export("expiry", certificate.validity_end_time)
pulumi.export("key", key.private_key_pem)
"""
GENERATION = {"mcsps:generation": "1"}


class Bench:
    """Runs programs from their text with one state, and records the output."""

    def __init__(self, folder: Path) -> None:
        """Keep program and state in `folder`."""
        self.folder = folder
        self.state_dir = folder / "state"
        self.printed = ""

    def run(self, text: str, verb: str, config: dict[str, str] | None = None) -> tuple[bool, dict[str, Step]]:
        """Return whether it succeeded, and each resource's step by logical name."""
        (self.folder / "__main__.py").write_text(HEAD + text)
        output = io.StringIO()
        display = Display(Console(file=output, width=500), as_json=False)
        stack = Stack("mcsps", "lab", config or GENERATION)
        with begin(stack, self.folder, self.state_dir, display) as run:
            verbs: dict[str, Callable[[], bool]] = {
                "preview": run.preview,
                "up": run.up,
                "destroy": lambda: run.destroy(unprotect=False),
                "destroy --unprotect": lambda: run.destroy(unprotect=True),
            }
            is_well = verbs[verb]()
        self.printed = output.getvalue()
        return is_well, {change.name: change.step for change in display.changes}

    @property
    def entries(self) -> dict[str, Entry]:
        """Return the state's entries by logical name."""
        return {urn.rpartition("::")[2]: entry for urn, entry in State.load("lab", self.state_dir).entries().items()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a bench with an empty state."""
    return Bench(tmp_path)


def test_a_preview_changes_nothing_and_an_up_does_what_it_said(bench: Bench) -> None:
    """A second preview then shows no change."""
    created = dict.fromkeys(("generation", "key", "certificate"), Step.CREATE)
    assert bench.run(TRUST, "preview") == (True, created)
    assert bench.entries == {}
    assert "expiry: [unknown]" in bench.printed
    assert bench.run(TRUST, "up") == (True, created)
    assert bench.run(TRUST, "preview") == (True, dict.fromkeys(created, Step.SAME))


def test_outputs_are_printed_and_secrets_are_not(bench: Bench) -> None:
    """No line and no JSON contains a secret, as an export or elsewhere."""
    bench.run(TRUST, "up")
    assert "key: [secret]" in bench.printed
    assert "expiry: 20" in bench.printed
    assert "PRIVATE KEY" not in bench.printed


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_an_output_that_the_program_calls_secret_is_never_printed(bench: Bench, verb: str) -> None:
    """This holds although its provider does not mark it as secret."""
    text = (
        'made = random.RandomId("made", byte_length=8, prefix="hunter2-", '
        'opts=opts(additional_secret_outputs=["prefix", "hex"]))\n'
        'pulumi.export("prefix", made.prefix)\npulumi.export("hex", made.hex)'
    )
    for _ in range(2):
        assert bench.run(text, verb)[0]
        assert "prefix: [secret]" in bench.printed
        assert "hunter2" not in bench.printed
        if verb == "up":
            assert "hex: [secret]" in bench.printed


@pytest.mark.parametrize(("special", "pattern"), [("True", r"[!-~]{64}"), ("False", r"[A-Za-z0-9]{64}")])
def test_a_password_is_secret_and_stays_the_same(bench: Bench, special: str, pattern: str) -> None:
    """It has its length, and special characters only if requested."""
    text = f'pulumi.export("made", random.RandomPassword("made", length=64, special={special}).result)'
    assert bench.run(text, "up")[0]
    made = bench.entries["made"].outputs["result"].value
    assert re.fullmatch(pattern, made)
    assert made.isalnum() is (special == "False")
    assert "made: [secret]" in bench.printed
    assert bench.run(text, "up")[1] == {"made": Step.SAME}
    assert bench.entries["made"].outputs["result"].value == made


def test_a_new_generation_remakes_what_hangs_on_it(bench: Bench) -> None:
    """A keeper, a replacement trigger and a changed input do so, and the preview shows it."""
    bench.run(TRUST, "up")
    before = bench.entries["key"].outputs["publicKeyPem"]
    replaced = dict.fromkeys(("generation", "key", "certificate"), Step.REPLACE)
    assert bench.run(TRUST, "preview", {"mcsps:generation": "2"}) == (True, replaced)
    assert bench.run(TRUST, "up", {"mcsps:generation": "2"}) == (True, replaced)
    assert bench.entries["key"].outputs["publicKeyPem"] != before


def test_early_renewal_alone_changes_in_place_until_it_is_due(bench: Bench) -> None:
    """Then the certificate is recreated with the same key."""
    bench.run(TRUST, "up")
    _, steps = bench.run(TRUST, "up", {**GENERATION, "mcsps:early": "1"})
    assert steps["certificate"] is Step.UPDATE
    _, steps = bench.run(TRUST, "preview", {**GENERATION, "mcsps:early": "24"})
    assert (steps["key"], steps["certificate"]) == (Step.SAME, Step.REPLACE)
    assert "renewal is due" in bench.printed


def test_what_a_program_no_longer_has_is_deleted(bench: Bench) -> None:
    """It is deleted only after a successful run."""
    bench.run(TRUST, "up")
    rest = TRUST[: TRUST.index("certificate =")]
    assert not bench.run(rest + "raise pulumi.RunError('enough')", "up")[0]
    assert "certificate" in bench.entries
    assert bench.run(rest, "preview")[1]["certificate"] is Step.DELETE
    bench.run(rest, "up")
    assert "certificate" not in bench.entries


def test_a_protected_resource_is_neither_replaced_nor_deleted(bench: Bench) -> None:
    """The error names it, and no other resource is deleted before."""
    protect = {**GENERATION, "mcsps:protect": "true"}
    bench.run(TRUST, "up", protect)
    assert not bench.run(TRUST, "preview", {**protect, "mcsps:generation": "2"})[0]
    assert "key is protected and would be replaced" in bench.printed
    assert bench.run("", "destroy") == (False, {})
    assert "key: protected, so nothing is deleted" in bench.printed
    assert len(bench.entries) == 3
    assert bench.run("", "destroy --unprotect")[0]
    assert bench.entries == {}


def test_an_alias_carries_a_resource_over(bench: Bench) -> None:
    """A renamed key is the same key."""
    bench.run(TRUST, "up")
    before = bench.entries["key"].outputs
    renamed = TRUST.replace('"key", algorithm', '"root-key", algorithm').replace(
        "opts=opts(", 'opts=opts(aliases=[pulumi.Alias(name="key")], '
    )
    assert bench.run(renamed, "preview")[1] == dict.fromkeys(("generation", "root-key", "certificate"), Step.SAME)
    bench.run(renamed, "up")
    assert bench.entries["root-key"].outputs == before
    assert "key" not in bench.entries


def test_a_provider_of_another_name_is_still_a_provider_of_its_cluster(bench: Bench) -> None:
    """A changed identifier is another cluster, for which Pulumi would replace every object."""
    provider = 'k8s.Provider("east", kubeconfig="{}", cluster_identifier="east")'
    assert bench.run(provider, "up")[0]
    renamed = 'k8s.Provider("e", kubeconfig="{}", cluster_identifier="x", opts=opts(aliases=[pulumi.Alias("east")]))'
    assert not bench.run(renamed, "up")[0]
    assert "e: clusterIdentifier has changed, so Pulumi would replace the provider and every object" in bench.printed
    assert "Destroy the stack first" in bench.printed


def test_a_provider_may_tune_its_client_and_say_what_it_takes_over_and_skips(bench: Bench) -> None:
    """A change of them, or of the kubeconfig of the same cluster, updates the provider."""
    provider = 'k8s.Provider("east", kubeconfig="{}", cluster_identifier="uid"MORE)'
    assert bench.run(provider.replace("MORE", ""), "up")[0]
    more = ', enable_patch_force=True, skip_update_unreachable=True, kube_client_settings={"qps": 50}'
    assert bench.run(provider.replace("MORE", more), "up") == (True, {"east": Step.UPDATE})
    assert bench.run(provider.replace("MORE", more).replace("{}", "away"), "up") == (True, {"east": Step.UPDATE})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('random.RandomPet("x")', "random:index/randomPet:RandomPet"),
        ('random.RandomPassword("x", length=9, min_lower=1)', "minLower"),
        ('tls.Provider("x", proxy={"from_env": True})', "proxy"),
        ('random.RandomId("x", byte_length=4, opts=opts(import_="abc"))', "importId"),
        ('random.RandomId("x", byte_length=4, opts=opts(replace_on_changes=["keepers"]))', "replaceOnChanges"),
        ('random.RandomId("x", byte_length=4, opts=opts(delete_before_replace=True))', "deleteBeforeReplace"),
        ('random.RandomId("x", byte_length=4, opts=opts(ignore_changes=["keepers[0]"]))', "ignoreChanges keepers[0]"),
        (
            'random.RandomId("x", byte_length=4, opts=opts(custom_timeouts=pulumi.CustomTimeouts(delete="1m")))',
            "customTimeouts.delete",
        ),
        ('k8s.Provider("x", kubeconfig="{}", opts=opts(ignore_changes=["kubeconfig"]))', "ignoreChanges"),
        ('k8s.Provider("x", opts=opts(additional_secret_outputs=["namespace"]))', "additionalSecretOutputs"),
        ('pulumi.ComponentResource("a:index:B", "x", {}, opts(replacement_trigger="1"))', "replacementTrigger"),
        ('tls.PrivateKey("x", algorithm="RSA")', "RSA"),
        ('tls.PrivateKey("x", algorithm="ECDSA", ecdsa_curve="P256", rsa_bits=2048)', "rsaBits"),
        ('tls.get_public_key(private_key_pem="x")', "tls:index/getPublicKey:getPublicKey"),
        ('k8s.core.v1.Namespace("x", metadata={"name": "x"})', "no explicit provider"),
        ('k8s.Provider("x", kubeconfig="{}", render_yaml_to_directory="y")', "renderYamlToDirectory"),
        ('k8s.Provider("x", kubeconfig="{}", enable_server_side_apply=False)', "enableServerSideApply"),
        ('k8s.Provider("x", kubeconfig="{}", enable_secret_mutable=False)', "enableSecretMutable"),
        ('k8s.Provider("x", kubeconfig="{}", enable_config_map_mutable=False)', "enableConfigMapMutable"),
        ('k8s.helm.v3.Release("x", chart="y", opts=opts(provider=k8s.Provider("p", kubeconfig="{}")))', "v3:Release"),
        ('pulumi.CustomResource("rancher2:index/cluster:Cluster", "x", {})', "rancher2:index/cluster:Cluster"),
        ("pulumi.runtime.register_resource_transform(lambda args: None)", "register_stack_transform"),
    ],
)
@pytest.mark.parametrize("verb", ["preview", "up"])
def test_what_is_not_carried_out_is_refused_by_name(bench: Bench, text: str, named: str, verb: str) -> None:
    """Unsupported features are never ignored without an error."""
    assert not bench.run(text, verb)[0]
    assert named in bench.printed
    assert "Traceback" not in bench.printed


def test_errors_of_the_program_come_as_text(bench: Bench) -> None:
    """A RunError is shown unchanged, other errors with their place in the program."""
    bench.run('raise pulumi.RunError("mcsps:v2Weight: 101 is more than 100")', "up")
    assert "failed: mcsps:v2Weight: 101 is more than 100" in bench.printed
    bench.run("{}['missing']", "up")
    assert "KeyError: 'missing'" in bench.printed
    assert "__main__.py:8" in bench.printed


def test_a_kubeconfig_that_cannot_be_read_is_not_quoted(bench: Bench) -> None:
    """The error names the provider and does not quote its secret."""
    bench.run(
        'p = k8s.Provider("east", kubeconfig="token: hunter2hunter2")\n'
        'k8s.core.v1.Namespace("x", metadata={"name": "x"}, opts=opts(provider=p))',
        "up",
    )
    assert "the kubeconfig of east cannot be used" in bench.printed
    assert "hunter2" not in bench.printed


@pytest.mark.parametrize("host", ["203.0.113.7", "rancher.example.com", "[2001:db8::1]", "198.19.0.1"])
@pytest.mark.parametrize("verb", ["preview", "up"])
def test_a_cluster_that_is_none_of_the_labs_is_refused_by_name(bench: Bench, host: str, verb: str) -> None:
    """No request goes to it, whatever the name of the stack."""
    kubeconfig = (
        "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], "
        f"clusters: [{{name: c, cluster: {{server: 'https://{host}:6443'}}}}]}}"
    )
    text = (
        f'p = k8s.Provider("east", kubeconfig="{kubeconfig}")\n'
        'k8s.core.v1.Namespace("x", metadata={"name": "x"}, opts=opts(provider=p))'
    )
    assert not bench.run(text, verb)[0]
    assert f"cluster east: its API server {host.strip('[]')} is not in the lab's network" in bench.printed


def test_a_secret_in_an_error_is_hidden(bench: Bench) -> None:
    """This holds for every exception of the program."""
    text = TRUST + "key.private_key_pem.apply(lambda pem: 1 / 0 if not pem else {}[pem])"
    assert not bench.run(text, "up")[0]
    assert "KeyError" in bench.printed
    key = bench.entries["key"].outputs["privateKeyPem"].value
    assert not any(line in bench.printed for line in key.splitlines()[1:-1])


def test_json_has_the_same_facts(tmp_path: Path) -> None:
    """One document contains changes, counts, exports and failures."""
    (tmp_path / "__main__.py").write_text(HEAD + TRUST)
    output = io.StringIO()
    display = Display(Console(file=output, width=500), as_json=True)
    with begin(Stack("mcsps", "lab", GENERATION), tmp_path, tmp_path / "state", display) as run:
        run.up()
    document = json.loads(output.getvalue())
    assert document["failures"] == []
    assert document["counts"] == {"create": 3, "update": 0, "replace": 0, "delete": 0, "same": 0}
    assert document["exports"]["key"] == "[secret]"


def test_state_of_an_unreadable_file_stops_the_run(bench: Bench) -> None:
    """The run stops before the program starts."""
    bench.state_dir.mkdir()
    (bench.state_dir / "lab.json").write_text("{")
    with pytest.raises(UserError, match=r"lab\.json"):
        bench.run("", "up")
