"""An exception is for one object and has a reason, which every report shows. The examples of each rule are correct."""

import json
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from docs.generate import policies_page, policy_examples
from policies.lib import exceptions
from policies.rules import MODULES, POLICIES, no_cluster_admin, root_ca_protected
from tests.support.policies import Made, from_data, judge

RULES = [pytest.param(module, id=module.RULE.name) for module in MODULES]
WHY = "agreed until the next release"


@pytest.fixture(autouse=True)
def empty_ledger() -> Iterator[None]:
    """Remove the exceptions that other tests have entered."""
    list(exceptions.LEDGER.take())
    yield
    list(exceptions.LEDGER.take())


def reported(*resources: Made) -> list[str]:
    """Return the lines of the report."""
    return [found.message for found in judge(exceptions.POLICY, *resources)]


@pytest.mark.parametrize("module", RULES)
def test_each_rule_s_examples_are_true(module: ModuleType) -> None:
    """One example breaks the rule and one does not. The page's exception names the object of the violation."""
    examples = policy_examples.read(module)
    broken, kept = ([from_data(given) for given in part] for part in (examples.broken, examples.kept))
    assert len(judge(module.POLICY, *broken)) == 1
    assert judge(module.POLICY, *kept) == []
    name = policy_examples.object_name(examples.broken[0])
    assert judge(module.POLICY, *broken, exceptions=[{"object": name, "reason": WHY}]) == []
    (line,) = reported(*broken)
    assert line.startswith(f"{name} is excepted from {module.RULE.name}: {WHY}.")
    assert json.dumps(name) in policies_page.render()


@pytest.mark.parametrize("module", RULES)
def test_each_rule_s_page_says_why_and_what_it_cannot_see(module: ModuleType) -> None:
    """Both texts are whole sentences."""
    for text in (module.RULE.why, module.RULE.limits):
        assert text[0].isupper()
        assert text.endswith(".")


ADMIN = Made(type="kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", inputs={"roleRef": {"name": "admin"}})
OTHER = replace(ADMIN, name="other")


@pytest.mark.parametrize("name", [ADMIN.urn, "ClusterRoleBinding made of cluster east"], ids=["by URN", "by name"])
def test_an_exception_is_for_one_object(name: str) -> None:
    """The rule still refuses any other object."""
    (found,) = judge(no_cluster_admin.POLICY, ADMIN, OTHER, exceptions=[{"object": name, "reason": WHY}])
    assert found.resource == "other"
    (line,) = reported(ADMIN, OTHER)
    assert "is excepted from mcsps-access-no-cluster-admin: agreed until the next release." in line
    assert "To end it, remove the exception from the policy config" in line
    assert reported(ADMIN, OTHER) == []


def test_an_exception_that_nothing_needs_is_shown_as_such() -> None:
    """The object no longer exists, or it no longer breaks the rule."""
    assert judge(root_ca_protected.POLICY, exceptions=[{"object": "SelfSignedCert gone", "reason": WHY}]) == []
    (line,) = reported()
    assert "SelfSignedCert gone is excepted from mcsps-root-ca-protected" in line
    assert "; nothing needed this exception." in line


@pytest.mark.parametrize(
    "given",
    ["made", 5, {"object": "made"}, ["made"], [{"object": ADMIN.urn}], [{"object": ADMIN.urn, "reason": " "}], None],
)
def test_an_exception_without_a_reason_is_none(given: object) -> None:
    """The engine refuses such an exception by the schema."""
    assert len(judge(no_cluster_admin.POLICY, ADMIN, exceptions=given)) == 1
    assert reported(ADMIN) == []


def test_the_schema_asks_for_both() -> None:
    """The schema of every judging policy requires the object and the reason."""
    for policy in POLICIES[:-1]:
        assert policy.config_schema
        schema = policy.config_schema.properties["exceptions"]
        assert schema["items"]["required"] == ["object", "reason"]
        assert not schema["items"]["additionalProperties"]


def test_the_report_is_the_last_of_the_pack() -> None:
    """The engine runs the policies in this order, so all exceptions are entered before the report."""
    assert POLICIES[-1] is exceptions.POLICY
