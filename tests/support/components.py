"""What the tests of single components have in common."""

import pulumi
import pulumi_kubernetes as k8s

from recorder.registrations import Registration
from tests.support.leaks import fake_secret


def kubernetes_provider(name: str) -> k8s.Provider:
    """Make an explicit provider, as `RancherCluster` does."""
    kubeconfig = pulumi.Output.secret(fake_secret(f"kubeconfig of {name}"))
    return k8s.Provider(f"{name}-kubernetes", kubeconfig=kubeconfig, cluster_identifier=name)


def kinds(found: list[Registration]) -> list[str]:
    """The last part of each type, sorted."""
    return sorted(registration.type.rsplit(":", 1)[1] for registration in found)
