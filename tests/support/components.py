"""Helpers for the tests of single components."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from recorder.registrations import Registration
from tests.support.leaks import fake_secret


def kubernetes_provider(name: str) -> k8s.Provider:
    """Create an explicit provider, as `RancherCluster` does."""
    kubeconfig = pulumi.Output.secret(fake_secret(f"kubeconfig of {name}"))
    return k8s.Provider(f"{name}-kubernetes", kubeconfig=kubeconfig, cluster_identifier=name)


def kinds(found: list[Registration]) -> list[str]:
    """Return the last part of each type, sorted."""
    return sorted(registration.type.rsplit(":", 1)[1] for registration in found)


ISTIOD_READS = {
    ("", "services"),
    ("", "pods"),
    ("", "nodes"),
    ("", "namespaces"),
    ("", "configmaps"),
    ("discovery.k8s.io", "endpointslices"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    *(
        ("networking.istio.io", resource)
        for resource in (
            "destinationrules",
            "envoyfilters",
            "gateways",
            "proxyconfigs",
            "serviceentries",
            "sidecars",
            "virtualservices",
            "workloadentries",
            "workloadgroups",
        )
    ),
    ("security.istio.io", "authorizationpolicies"),
    ("security.istio.io", "peerauthentications"),
    ("security.istio.io", "requestauthentications"),
    ("telemetry.istio.io", "telemetries"),
    ("extensions.istio.io", "trafficextensions"),
    ("extensions.istio.io", "wasmplugins"),
    ("gateway.networking.k8s.io", "gateways"),
}
"""The API groups and resources that istiod and istioctl read in a peer."""


def expected_readable(*, secrets: bool, endpoints: bool) -> list[tuple[str, str]]:
    """Return the groups and resources of a reader's role, sorted."""
    return sorted([*ISTIOD_READS, *[("", "secrets")] * secrets, *[("", "endpoints")] * endpoints])


def readable(rules: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the groups and resources of rules, sorted, after a check that they have only a reader's verbs."""
    assert all(rule.keys() == {"apiGroups", "resources", "verbs"} for rule in rules)
    assert [rule["verbs"] for rule in rules] == [["get", "list", "watch"]] * len(rules)
    return sorted((group, name) for rule in rules for group in rule["apiGroups"] for name in rule["resources"])
