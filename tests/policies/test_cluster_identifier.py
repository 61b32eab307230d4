"""Every provider of Kubernetes says which cluster it is for."""

from typing import Any

import pytest

from policies.rules.cluster_identifier import POLICY
from tests.support.policies import Made, assert_bears_all, judge
from tests.support.recording import KUBERNETES_PROVIDER, RANCHER_PROVIDER


def provider(**inputs: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """A provider with a kubeconfig."""
    return Made(
        type=KUBERNETES_PROVIDER,
        name="east-kubernetes",
        inputs={"kubeconfig": "a kubeconfig", **inputs},
        provider=None,
    )


@pytest.mark.parametrize(
    ("inputs", "shown"),
    [
        ({}, "nothing"),
        ({"clusterIdentifier": None}, "nothing"),
        ({"clusterIdentifier": " "}, "' '"),
        ({"clusterIdentifier": 7}, "7"),
        ({"clusterIdentifier": True}, "true"),
        ({"clusterIdentifier": ["east"]}, "a list of 1"),
        ({"clusterIdentifier": {"name": "east"}}, "a mapping of 1"),
        ({"clusterIdentifier": "e" * 81}, ""),
    ],
)
def test_an_identifier_is_a_text(inputs: dict[str, Any], shown: str) -> None:
    """And not blank."""
    found = judge(POLICY, provider(**inputs))
    if shown:
        assert f"provider east-kubernetes has {shown} for clusterIdentifier" in found[0].message
        assert "To fix it, set cluster_identifier to the cluster's name" in found[0].message
    assert len(found) == bool(shown)


def test_other_providers_have_none() -> None:
    """Rancher's is for one server."""
    assert judge(POLICY, Made(type=RANCHER_PROVIDER)) == []


def test_the_default_provider_is_told_of_once() -> None:
    """By the rule about explicit providers."""
    assert judge(POLICY, Made(type=KUBERNETES_PROVIDER, name="default_4_34_2")) == []


def test_a_name_that_only_begins_like_the_default_provider_s_excuses_nothing() -> None:
    """It is an author's own provider."""
    assert len(judge(POLICY, Made(type=KUBERNETES_PROVIDER, name="default_east"))) == 1


def test_an_unknown_identifier_may_be_one() -> None:
    """And no wrong type stops the rule."""
    assert_bears_all(POLICY, provider(clusterIdentifier="east"), refused={"clusterIdentifier"})
