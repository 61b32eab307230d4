"""Every namespace of the mesh limits who may connect to its pods."""

from collections.abc import Iterator, Mapping, Sequence

from pulumi_policy import EnforcementLevel

from policies.lib.policy import Parameters, Rule, stack_policy
from policies.lib.resources import Resource
from policies.lib.selectors import may_select_any
from policies.lib.values import UNKNOWN, Unknown, items, look

NETWORK_POLICY = "networking.k8s.io/NetworkPolicy"
CILIUM_POLICY = "cilium.io/CiliumNetworkPolicy"
CILIUM_CLUSTER_POLICY = "cilium.io/CiliumClusterwideNetworkPolicy"
CILIUM_INGRESS = ("ingress", "ingressDeny")
CALICO_POLICY = ("projectcalico.org/NetworkPolicy", "crd.projectcalico.org/NetworkPolicy")
CALICO_GLOBAL_POLICY = ("projectcalico.org/GlobalNetworkPolicy", "crd.projectcalico.org/GlobalNetworkPolicy")
WORKLOADS = ("apps/DaemonSet", "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet", "batch/Job")
EVERYONE = {"0.0.0.0/0", "::/0"}
EVERY_NAMESPACE = ""
"""Stands for the namespaces of a policy of the whole cluster."""
RULE = Rule(
    name="mcsps-namespaces-network-policy",
    description="Every namespace with sidecar injection has a NetworkPolicy that limits who connects to its pods.",
    why=(
        "Without one, every pod of the cluster and of its networks can connect to the namespace's pods and bypass "
        "the proxy."
    ),
    limits=(
        "It does not see policies that are not in the stack, such as those of Rancher's project network "
        "isolation, nor whether the CNI enforces any. It assumes that a policy selects pods that the stack does "
        "not create. It judges neither the ports of a NetworkPolicy nor the rules of Cilium and Calico beyond "
        "their direction."
    ),
    remedy=(
        "create a NetworkPolicy in it that admits its pods' clients, and istiod and the gateways of istio-system; "
        "Rancher's project network isolation has the same effect, but this policy cannot see it"
    ),
    # The program creates none yet, and not every CNI enforces them.
    level=EnforcementLevel.ADVISORY,
)

Place = tuple[str | None, str | Unknown]
"""Cluster and namespace."""


def check(resources: Sequence[Resource], _: Parameters) -> Iterator[tuple[Resource, str]]:
    """Require one in each that limits who connects to pods."""
    pods: dict[Place, list[Mapping[str, object]]] = {}
    for resource in resources:
        if (labels := _pod_labels(resource)) is not None:
            pods.setdefault((resource.cluster, resource.namespace), []).append(labels)
    limited = {place for found in resources for place in _limits(found, pods)}
    for namespace in resources:
        if not namespace.is_object("core/Namespace") or not _injects(namespace):
            continue
        if namespace.cluster is None or namespace.object_name is UNKNOWN:
            continue
        # A policy whose cluster or namespace is unknown may be in this namespace.
        clusters, names = (namespace.cluster, None), (namespace.object_name, UNKNOWN, EVERY_NAMESPACE)
        places = {(cluster, name) for cluster in clusters for name in names}
        if not places & limited:
            yield namespace, f"{namespace} has injection and no NetworkPolicy that limits who connects to its pods"


def _pod_labels(resource: Resource) -> Mapping[str, object] | None:
    """The labels of the pods that a resource makes; None if it makes none or they are unknown."""
    if resource.is_object("core/Pod"):
        labels = look(resource.properties, "metadata", "labels")
    elif resource.is_object(*WORKLOADS):
        labels = look(resource.properties, "spec", "template", "metadata", "labels")
    else:
        return None
    return labels if isinstance(labels, Mapping) else None


def _limits(resource: Resource, pods: Mapping[Place, list[Mapping[str, object]]]) -> Iterator[Place]:
    place = (resource.cluster, resource.namespace)
    spec = look(resource.properties, "spec")
    if resource.is_object(NETWORK_POLICY):
        selected = may_select_any(look(spec, "podSelector"), pods.get(place, ()))
        if selected and _is_for_ingress(spec, "policyTypes") and not _allows_everything(spec):
            yield place
    elif resource.is_object(*CALICO_POLICY, *CALICO_GLOBAL_POLICY):
        if _is_for_ingress(spec, "types"):
            yield place if resource.is_object(*CALICO_POLICY) else (resource.cluster, EVERY_NAMESPACE)
    elif resource.is_object(CILIUM_POLICY, CILIUM_CLUSTER_POLICY):
        specs = [spec, *items(look(resource.properties, "specs"))]
        if UNKNOWN in specs or any(look(found, key) is not None for found in specs for key in CILIUM_INGRESS):
            yield place if resource.is_object(CILIUM_POLICY) else (resource.cluster, EVERY_NAMESPACE)


def _is_for_ingress(spec: object, key: str) -> bool:
    """Whether a policy is about incoming connections, as it is by default."""
    types = look(spec, key)
    return types in (None, UNKNOWN, []) or "Ingress" in items(types) or UNKNOWN in items(types)


def _allows_everything(spec: object) -> bool:
    """Whether one rule of a NetworkPolicy admits every client to every port."""
    return any(isinstance(rule, Mapping) and _is_open(rule) for rule in items(look(spec, "ingress")))


def _is_open(rule: Mapping[str, object]) -> bool:
    if rule.get("ports") not in (None, []):
        return False
    clients = rule.get("from")
    blocks = {str(look(client, "ipBlock", "cidr")) for client in items(clients) if not _has_exceptions(client)}
    return clients in (None, []) or not blocks.isdisjoint(EVERYONE)


def _has_exceptions(client: object) -> bool:
    return look(client, "ipBlock", "except") not in (None, [])


def _injects(namespace: Resource) -> bool:
    labels = look(namespace.properties, "metadata", "labels")
    revision = look(labels, "istio.io/rev")
    return look(labels, "istio-injection") == "enabled" or (isinstance(revision, str) and revision != "")


POLICY = stack_policy(RULE, check)
