"""The program breaks no rule, with any stack file."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pulumi_policy import EnforcementLevel, Policy

from mesh import kubeconfigs
from policies.rules import POLICIES, remote_secret_credential, remote_secret_reader
from tests.support.bad_config import Place, put
from tests.support.policies import judge, recorded
from tests.support.recording import CLUSTER_ROLE, DESTINATION_RULE, RANCHER_ROLE, RANCHER_USER_TOKEN, SECRET
from tests.support.runs import Runs
from tests.support.stacks import LAB, OPERATOR, RANCHER, ROOT

SECRETS = "mcsps-secrets-not-in-inputs"
ADVISORY = {policy.name for policy in POLICIES if policy.enforcement_level is EnforcementLevel.ADVISORY}
# Istio removed its operator after 1.23, so a stack with the operator must allow older versions than the rule does.
FOR_THE_OPERATOR = {"mcsps-istio-version-floor": {"minimumVersion": "1.12.0"}}
STACKS = [LAB, RANCHER, OPERATOR]
CONFIGS: dict[str, dict[str, Any]] = {
    LAB: json.loads((ROOT / "policies" / "lab.json").read_text()),
    RANCHER: {},
    OPERATOR: FOR_THE_OPERATOR,
}


def level(policy: Policy, stack: str) -> EnforcementLevel:
    """Return the level of a policy for a stack, from the policy config, from the policy itself, or from the pack."""
    configured = CONFIGS[stack].get(policy.name)
    if isinstance(configured, str):
        return EnforcementLevel(configured)
    return policy.enforcement_level or EnforcementLevel.MANDATORY


def parameters(policy: Policy, stack: str) -> dict[str, Any]:
    """Return the parameters that the policy config sets."""
    configured = CONFIGS[stack].get(policy.name)
    return configured if isinstance(configured, dict) else {}


def violations(runs: Runs, stack: str, wanted: EnforcementLevel, *, preview: bool) -> set[tuple[str, str]]:
    """Return the policy and the resource of each violation of a level."""
    resources = recorded(runs(stack, preview=preview))
    return {
        (policy.name, found.resource)
        for policy in POLICIES
        if level(policy, stack) == wanted
        for found in judge(policy, *resources, **parameters(policy, stack))
    }


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_breaks_no_mandatory_rule(runs: Runs, stack: str, *, preview: bool) -> None:
    """A preview with the pack passes."""
    assert violations(runs, stack, EnforcementLevel.MANDATORY, preview=preview) == set()


@pytest.mark.parametrize("stack", STACKS)
def test_the_program_is_advised_of_what_it_does_not_do_yet(runs: Runs, stack: str, *, preview: bool) -> None:
    """The advisory policies report these violations and no others."""
    names = [cluster["name"] for cluster in runs.stack(stack).values["clusters"]]
    assert violations(runs, stack, EnforcementLevel.ADVISORY, preview=preview) == {
        expected
        for name in names
        for expected in (
            ("mcsps-eastwest-source-ranges", f"{name}-istio-eastwest"),
            ("mcsps-namespaces-network-policy", f"{name}-sample"),
        )
    }


@pytest.mark.parametrize(
    ("place", "value", "rule"),
    [
        (("istio",), {"version": "1.30.3", "tag": "1.30.3"}, "mcsps-istio-version-floor"),
        (("istio", "hub"), "gcr.io/istio-release", "mcsps-sources-allowed"),
        (("istio", "charts"), "https://istio-release.storage.googleapis.com/charts", "mcsps-sources-allowed"),
        (("helloworld",), {"images": {"v1": "registry.istio.io/release/v1:1"}}, "mcsps-sources-allowed"),
        (("trust",), {"rootValidityHours": 87601}, "mcsps-root-ca-validity"),
        (("trust",), {"protectRoot": False}, "mcsps-root-ca-protected"),
        (("istio", "values"), {"istiod": {"env": {"KEY": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"}}}, SECRETS),
    ],
)
def test_config_that_would_break_a_rule_is_caught(runs: Runs, place: Place, value: object, rule: str) -> None:
    """The rules therefore see the resources that the program creates from its config."""
    stack = runs.stack(RANCHER)
    resources = recorded(replace(stack, values=put(stack.values, place, value)).run(preview=True))
    broken = {policy.name for policy in POLICIES if judge(policy, *resources)}
    assert broken - ADVISORY == {rule}


@pytest.mark.parametrize(("stack", "type_"), [(LAB, CLUSTER_ROLE), (RANCHER, RANCHER_ROLE)])
def test_a_reader_of_the_program_s_that_could_write_is_caught(runs: Runs, stack: str, type_: str) -> None:
    """The rule therefore follows every token that the program creates to its role."""
    resources = [
        replace(made, outputs=put(made.outputs or {}, ("rules", 0, "verbs"), ["*"])) if made.type == type_ else made
        for made in recorded(runs(stack))
    ]
    caught = {found.resource for found in judge(remote_secret_reader.POLICY, *resources)}
    assert caught == {made.name for made in resources if made.type == type_ and ":" not in made.name} != set()


@pytest.mark.parametrize("stack", [LAB, RANCHER])
def test_a_reader_s_token_is_known_by_the_remote_secret_that_holds_it(runs: Runs, stack: str, *, preview: bool) -> None:
    """This holds outside this program's components too, and before the token's value is known."""
    resources = recorded(runs(stack, preview=preview))
    tokens = {made.urn for made in resources if made.type in (SECRET, RANCHER_USER_TOKEN) and "-token" in made.name}
    remote = [made for made in resources if made.name.endswith("-remote-secret")]
    assert all(tokens & {urn for urns in made.needs.values() for urn in urns} for made in remote)
    assert remote


def test_a_remote_secret_of_the_program_s_without_a_token_is_caught(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule therefore reads every remote secret."""
    text = "users: [{user: {client-key-data: none}}]"
    monkeypatch.setattr(kubeconfigs, "render_token_kubeconfig", lambda **_: text)
    resources = recorded(runs.stack(LAB).run())
    caught = {found.resource for found in judge(remote_secret_credential.POLICY, *resources)}
    assert caught == {made.name for made in resources if made.name.endswith("-remote-secret")} != set()


def test_audiences_and_failover_break_no_rule(runs: Runs, *, preview: bool) -> None:
    """The program configures outlier detection for failover, and creates all audiences in every cluster."""
    values = runs.stack(RANCHER).values
    clusters = [
        {**cluster, "locality": {"region": region}, "versions": ["v1", "v2"]}
        for cluster, region in zip(values["clusters"], ("eu", "us"), strict=True)
    ]
    audiences = [
        {"name": "test-team", "version": "v2", "header": {"name": "x-team", "exact": "test"}},
        {"name": "europe", "version": "v1", "region": "eu"},
    ]
    monitor = runs.stack(RANCHER).changed(clusters=clusters, audiences=audiences).run(preview=preview)
    (spec, _) = (found.inputs["spec"] for found in monitor.find_all(DESTINATION_RULE))
    assert "failover" in spec["trafficPolicy"]["loadBalancer"]["localityLbSetting"]
    broken = {policy.name for policy in POLICIES if judge(policy, *recorded(monitor))}
    assert broken <= ADVISORY


def test_the_operator_s_istio_is_too_old_unless_a_policy_config_says_otherwise(runs: Runs) -> None:
    """A user of the operator must allow its version in the policy config."""
    resources = recorded(runs(OPERATOR))
    broken = {policy.name for policy in POLICIES if judge(policy, *resources)}
    assert broken - ADVISORY == {"mcsps-istio-version-floor"}


def test_only_the_lab_lets_its_root_go(runs: Runs) -> None:
    """The policy configs of the lab's stacks disable this policy and no other. A user's policy config keeps it."""
    configs = {file.stem: json.loads(file.read_text()) for file in (ROOT / "policies").glob("*.json")}
    own = {stack: config for stack, config in configs.items() if "mcsps-root-ca-protected" in config}
    assert own == {stack: {"mcsps-root-ca-protected": "disabled"} for stack in ("lab", "lab-rancher")}
    assert violations(runs, LAB, EnforcementLevel.DISABLED, preview=False) == {
        ("mcsps-root-ca-protected", "trust-root-certificate"),
        ("mcsps-root-ca-protected", "trust-root-key"),
    }
