"""The program keeps to every rule, for each stack file."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pulumi_policy import EnforcementLevel, Policy

from policies.rules import POLICIES
from tests.support.bad_config import Place, put
from tests.support.policies import judge, recorded
from tests.support.runs import Runs
from tests.support.stacks import LAB, RANCHER, ROOT, load_values

SECRETS = "mcsps-secrets-not-in-inputs"
ADVISORY = {policy.name for policy in POLICIES if policy.enforcement_level is EnforcementLevel.ADVISORY}
CONFIGS: dict[str, dict[str, Any]] = {LAB: json.loads((ROOT / "policies" / "lab.json").read_text()), RANCHER: {}}


def level(policy: Policy, stack: str) -> EnforcementLevel:
    """What holds for a stack: its policy config, the policy's own level, or the pack's."""
    configured = CONFIGS[stack].get(policy.name)
    return EnforcementLevel(configured) if configured else policy.enforcement_level or EnforcementLevel.MANDATORY


def violations(runs: Runs, stack: str, wanted: EnforcementLevel, *, preview: bool) -> set[tuple[str, str]]:
    """Policy and resource of each violation of a level."""
    resources = recorded(runs(stack, preview=preview))
    return {
        (policy.name, found.resource)
        for policy in POLICIES
        if level(policy, stack) == wanted
        for found in judge(policy, *resources)
    }


@pytest.mark.parametrize("stack", [LAB, RANCHER])
def test_the_program_breaks_no_mandatory_rule(runs: Runs, stack: str, *, preview: bool) -> None:
    """A preview with the pack passes."""
    assert violations(runs, stack, EnforcementLevel.MANDATORY, preview=preview) == set()


@pytest.mark.parametrize("stack", [LAB, RANCHER])
def test_the_program_is_advised_of_what_it_does_not_do_yet(runs: Runs, stack: str, *, preview: bool) -> None:
    """Of that and of nothing else."""
    names = [cluster["name"] for cluster in load_values(stack)["clusters"]]
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
        (("istio", "version"), "1.30.3", "mcsps-istio-version-floor"),
        (("istio", "tag"), "1.30.3", "mcsps-istio-version-floor"),
        (("istio", "hub"), "gcr.io/istio-release", "mcsps-sources-allowed"),
        (("istio", "charts"), "https://istio-release.storage.googleapis.com/charts", "mcsps-sources-allowed"),
        (("helloworld",), {"images": {"v1": "registry.istio.io/release/v1:1"}}, "mcsps-sources-allowed"),
        (("trust",), {"rootValidityHours": 87601}, "mcsps-root-ca-validity"),
        (("trust",), {"protectRoot": False}, "mcsps-root-ca-protected"),
        (("istio", "values"), {"istiod": {"env": {"KEY": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"}}}, SECRETS),
    ],
)
def test_config_that_would_break_a_rule_is_caught(runs: Runs, place: Place, value: object, rule: str) -> None:
    """So the rules see what the program makes of it."""
    stack = runs.stack(RANCHER)
    resources = recorded(replace(stack, values=put(stack.values, place, value)).run(preview=True))
    broken = {policy.name for policy in POLICIES if judge(policy, *resources)}
    assert broken - ADVISORY == {rule}


def test_only_the_lab_lets_its_root_go(runs: Runs) -> None:
    """Which is why a policy config of its own switches that rule off, and no other."""
    assert CONFIGS[LAB] == {"mcsps-root-ca-protected": "disabled"}
    assert violations(runs, LAB, EnforcementLevel.DISABLED, preview=False) == {
        ("mcsps-root-ca-protected", "trust-root-certificate")
    }
