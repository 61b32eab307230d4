"""The rule that every Kubernetes resource names its provider."""

from dataclasses import replace

import pytest

from policies.rules.explicit_provider import POLICY
from tests.support import recording
from tests.support.policies import EAST, Made, Provider, assert_bears_all, judge

DEFAULTS = ("default", "default_4_34_2", "default_4_35_0_alpha_17", "default_4_34_2_https___plugins_example")
CLEAN = Made(type=recording.NAMESPACE, name="east-sample", inputs={"metadata": {"name": "sample"}})


@pytest.mark.parametrize(
    "provider",
    [None, *(Provider(name=name) for name in DEFAULTS)],
    ids=["none", *DEFAULTS],
)
def test_the_default_provider_is_refused(provider: Provider | None) -> None:
    """The engine has several names for the default provider."""
    (found,) = judge(POLICY, replace(CLEAN, provider=provider))
    assert "Namespace sample has the default provider, which uses the current context of kubectl." in found.message
    assert "To fix it, pass ResourceOptions(provider=...)" in found.message


@pytest.mark.parametrize(
    "type_",
    [
        recording.CHART,
        "kubernetes:helm.sh/v3:Chart",
        "kubernetes:yaml:ConfigFile",
        "kubernetes:yaml/v2:ConfigGroup",
        "kubernetes:kustomize/v2:Directory",
    ],
)
def test_what_is_made_of_objects_is_judged_by_these(type_: str) -> None:
    """The engine gives a component no provider."""
    assert judge(POLICY, Made(type=type_, provider=None)) == []


def test_others_than_kubernetes_may_have_the_default_provider() -> None:
    """Keys and certificates belong to no cluster."""
    assert judge(POLICY, Made(type=recording.PRIVATE_KEY, provider=Provider(name="default_5_6_2"))) == []


@pytest.mark.parametrize("name", ["defaults", "default_east", "default_4", "default-kubernetes"])
def test_a_provider_whose_name_only_begins_like_the_default_one_is_explicit(name: str) -> None:
    """Such a provider was created explicitly by its author."""
    assert judge(POLICY, replace(CLEAN, provider=replace(EAST, name=name))) == []


def test_no_value_matters() -> None:
    """Unknown values and values of a wrong type pass."""
    assert_bears_all(POLICY, CLEAN)
