"""The rule that every Kubernetes provider names its cluster."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from policies.rules.cluster_identifier import POLICY
from tests.support.policies import UNKNOWN, Made, assert_bears_all, judge
from tests.support.recording import KUBERNETES_PROVIDER, RANCHER_PROVIDER


def provider(**inputs: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a provider with a kubeconfig."""
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
    """The text must not be blank."""
    found = judge(POLICY, provider(**inputs))
    if shown:
        assert f"provider east-kubernetes has {shown} for clusterIdentifier" in found[0].message
        assert "To fix it, set cluster_identifier to the cluster's name" in found[0].message
    assert len(found) == bool(shown)


def kubeconfig(server: str, *, current: str = "it") -> str:
    """Return a kubeconfig with two clusters."""
    return yaml.safe_dump(
        {
            "clusters": [
                {"name": "other", "cluster": {"server": "https://other.example"}},
                {"name": "it", "cluster": {"server": server}},
            ],
            "contexts": [{"name": name, "context": {"cluster": name}} for name in ("other", "it")],
            "current-context": current,
        }
    )


def named(name: str, text: object, **inputs: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return a provider of the cluster east with a kubeconfig."""
    return replace(provider(clusterIdentifier="east", **inputs, kubeconfig=text), name=name)


def test_two_clusters_do_not_share_an_identifier() -> None:
    """Otherwise the objects of one cluster would be taken for those of the other."""
    east, west = named("east", kubeconfig("https://east.example")), named("west", kubeconfig("https://west.example"))
    (found,) = judge(POLICY, east, west)
    assert found.resource == "west"
    assert "provider west has the clusterIdentifier 'east' of provider east, whose kubeconfig has" in found.message
    by_context = named("west", kubeconfig("https://east.example"), context="other")
    assert len(judge(POLICY, east, by_context)) == 1


@pytest.mark.parametrize(
    "text",
    [
        kubeconfig("https://EAST.example/"),
        kubeconfig("https://west.example", current="gone"),
        "~/.kube/config",
        "[",
        5,
        UNKNOWN,
    ],
)
def test_one_cluster_may_have_several_providers(text: object) -> None:
    """A provider whose server is not known passes as well."""
    assert judge(POLICY, named("east", kubeconfig("https://east.example")), named("crds", text)) == []


def test_other_providers_have_none() -> None:
    """A provider of Rancher is for one server, so it needs no identifier."""
    assert judge(POLICY, Made(type=RANCHER_PROVIDER)) == []


def test_the_default_provider_is_told_of_once() -> None:
    """The rule about explicit providers reports it."""
    assert judge(POLICY, Made(type=KUBERNETES_PROVIDER, name="default_4_34_2")) == []


def test_a_name_that_only_begins_like_the_default_provider_s_excuses_nothing() -> None:
    """Such a provider was created explicitly by its author."""
    assert len(judge(POLICY, Made(type=KUBERNETES_PROVIDER, name="default_east"))) == 1


def test_an_unknown_identifier_may_be_one() -> None:
    """The rule passes unknown values, and a value of a wrong type does not stop it."""
    assert_bears_all(POLICY, provider(clusterIdentifier="east"), refused={"clusterIdentifier"})
