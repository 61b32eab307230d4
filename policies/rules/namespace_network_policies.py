"""Every namespace of the mesh limits who may connect to its pods."""

from collections.abc import Iterator, Sequence

from pulumi_policy import EnforcementLevel

from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.values import UNKNOWN, look

RULE = Rule(
    name="mcsps-namespaces-network-policy",
    description="Every namespace with sidecar injection has a NetworkPolicy.",
    remedy=(
        "create a NetworkPolicy in it that admits its pods' clients, and istiod and the gateways of istio-system; "
        "Rancher's project network isolation has the same effect, but this policy cannot see it"
    ),
    # The program creates none yet, and not every CNI enforces them.
    level=EnforcementLevel.ADVISORY,
)


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Require one in each."""
    policies = [found for found in resources if found.is_object("networking.k8s.io/NetworkPolicy")]
    has_one = {(found.cluster, found.namespace) for found in policies}
    for namespace in resources:
        if not namespace.is_object("core/Namespace") or not _injects(namespace):
            continue
        if namespace.cluster is None or namespace.object_name is UNKNOWN:
            continue
        # A policy whose cluster or namespace is unknown may be in this namespace.
        clusters, names = (namespace.cluster, None), (namespace.object_name, UNKNOWN)
        places = {(cluster, name) for cluster in clusters for name in names}
        if not places & has_one:
            yield namespace, f"{namespace} has injection and no NetworkPolicy"


def _injects(namespace: Resource) -> bool:
    labels = look(namespace.properties, "metadata", "labels")
    revision = look(labels, "istio.io/rev")
    return look(labels, "istio-injection") == "enabled" or (isinstance(revision, str) and revision != "")


POLICY = stack_policy(RULE, check)
