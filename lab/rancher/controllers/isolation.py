"""
Project network isolation: the NetworkPolicies that block the pods of other projects.

`np-default` allows the namespace's own project and the system project, `hn-nodes` allows the nodes, and
`np-default-allow-all` is in every system namespace without another policy.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_interface

from lab.rancher import names
from lab.rancher.controllers import namespaces
from lab.rancher.kube import KubeApi
from lab.rancher.store import Document

DEFAULT = "np-default"
ALLOW_ALL = "np-default-allow-all"
NODES = "hn-nodes"
OURS = (DEFAULT, ALLOW_ALL, NODES)
_GROUP = "/apis/networking.k8s.io/v1"
Policies = dict[tuple[str, str], Document]
"""Policies by namespace and name."""


def default_policy(namespace: str, project: str, system: str) -> Document:
    """Return the policy of a namespace in a project: pure."""
    sources = [{"namespaceSelector": {"matchLabels": {names.PROJECT_ID: it}}} for it in (project, system)]
    spec = {"podSelector": {}, "ingress": [{"from": sources}], "policyTypes": ["Ingress"]}
    return _policy(namespace, DEFAULT, {names.PROJECT_ID: project}, spec)


def allow_all_policy(namespace: str, system: str) -> Document:
    """Return the policy of a namespace in the system project: pure."""
    spec = {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}
    return _policy(namespace, ALLOW_ALL, {names.PROJECT_ID: system}, spec)


def nodes_policy(namespace: Document, cidrs: Iterable[str]) -> Document | None:
    """Return the policy that allows the nodes, by the first address of each pod range; None without ranges: pure."""
    blocks = sorted(f"{ip_interface(it).ip}/32" for it in cidrs)
    if not blocks:
        return None
    spec = {
        "podSelector": {},
        "ingress": [{"from": [{"ipBlock": {"cidr": it}} for it in blocks]}],
        "policyTypes": ["Ingress"],
    }
    own = namespace["metadata"]
    policy = _policy(own["name"], NODES, {}, spec)
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": own["name"], "uid": own["uid"]}
    policy["metadata"]["ownerReferences"] = [owner]
    return policy


def desired(found: Sequence[Document], system: str, cidrs: Sequence[str], guarded: frozenset[str]) -> Policies:
    """
    Return all policies that the cluster must have: pure.

    Args:
        found: The cluster's namespaces.
        system: The name of the system project.
        cidrs: The pod ranges of the nodes.
        guarded: The namespaces with a policy that Rancher did not create.
    """
    policies: list[Document] = []
    for namespace in found:
        name, project = namespace["metadata"]["name"], namespaces.project_of(namespace).partition(":")[2]
        if not project or namespaces.is_going(namespace):
            continue
        if project == system:
            policies += [] if name in guarded else [allow_all_policy(name, system)]
            continue

        policies.append(default_policy(name, project, system))
        if policy := nodes_policy(namespace, cidrs):
            policies.append(policy)
    return {(it["metadata"]["namespace"], it["metadata"]["name"]): it for it in policies}


async def sync(api: KubeApi, found: Sequence[Document], system: str, pod_cidr: str) -> None:
    """Apply the policies to the cluster; `pod_cidr` is the range of nodes that do not state one."""
    nodes = await api.objects("/api/v1/nodes")
    cidrs = [cidr for it in nodes if (cidr := it["spec"].get("podCIDR") or pod_cidr)]
    existing = await _existing(api)
    guarded = frozenset(namespace for namespace, name in existing if name not in OURS)
    await _apply(api, existing, desired(found, system, cidrs, guarded))


async def remove(api: KubeApi) -> None:
    """Delete the policies that isolation created before it was disabled."""
    await _apply(api, await _existing(api), {})


async def _existing(api: KubeApi) -> Policies:
    listed = await api.objects(f"{_GROUP}/networkpolicies")
    return {(it["metadata"]["namespace"], it["metadata"]["name"]): it for it in listed}


async def _apply(api: KubeApi, existing: Policies, desired_policies: Policies) -> None:
    for (namespace, name), policy in existing.items():
        made_here = (policy["metadata"].get("labels") or {}).get(names.CREATOR) == names.NORMAN
        if name in OURS and made_here and (namespace, name) not in desired_policies:
            await api.delete(f"{_path(namespace)}/{name}")
    for (namespace, name), policy in desired_policies.items():
        live = existing.get((namespace, name))
        if live is None:
            await api.create(_path(namespace), policy)
        elif live["spec"] != policy["spec"]:
            version = live["metadata"]["resourceVersion"]
            metadata = policy["metadata"] | {"resourceVersion": version}
            await api.replace(f"{_path(namespace)}/{name}", policy | {"metadata": metadata})


def _path(namespace: str) -> str:
    return f"{_GROUP}/namespaces/{namespace}/networkpolicies"


def _policy(namespace: str, name: str, labels: Mapping[str, str], spec: Document) -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": {**labels, names.CREATOR: names.NORMAN}},
        "spec": spec,
    }
