"""Strategies for objects in the shapes of Kubernetes' and Istio's own schemas, with some values of any other shape."""

import json
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from kubernetes.client import models

from tests.support.policies import UNKNOWN

ISTIO: Mapping[str, Any] = json.loads((Path(__file__).parents[1] / "policies" / "schemas" / "istio.json").read_text())
"""The schemas of specs, from the CRDs of Istio 1.31 without descriptions and limits, by apiVersion and kind."""
KUBERNETES = {
    "apps/v1:DaemonSet": "V1DaemonSet",
    "apps/v1:Deployment": "V1Deployment",
    "apps/v1:StatefulSet": "V1StatefulSet",
    "batch/v1:CronJob": "V1CronJob",
    "core/v1:ConfigMap": "V1ConfigMap",
    "core/v1:Namespace": "V1Namespace",
    "core/v1:Pod": "V1Pod",
    "core/v1:Secret": "V1Secret",
    "core/v1:Service": "V1Service",
    "core/v1:ServiceAccount": "V1ServiceAccount",
    "networking.k8s.io/v1:NetworkPolicy": "V1NetworkPolicy",
    "rbac.authorization.k8s.io/v1:ClusterRole": "V1ClusterRole",
    "rbac.authorization.k8s.io/v1:ClusterRoleBinding": "V1ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1:Role": "V1Role",
    "rbac.authorization.k8s.io/v1:RoleBinding": "V1RoleBinding",
}
"""The models of the official client, which are generated from Kubernetes' OpenAPI, by apiVersion and kind."""
DEPTH, ITEMS, ODDS_OF_WILD = 9, 2, 24
POOLS: Mapping[str, Sequence[str]] = {
    "apiGroups": ("", "*", "rbac.authorization.k8s.io", "apps"),
    "args": ("postgres://a:b3tter@c", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG", "--flag"),
    "cidr": ("0.0.0.0/0", "::/0", "10.0.0.0/8", "300.0.0.0/8"),
    "exportTo": (".", "*", "sample"),
    "gateways": ("mesh", "sample/a", "/"),
    "host": ("a", "a.sample.svc.cluster.local", "*.sample.svc.cluster.local", "*", "a.svc", "."),
    "image": (
        "gcr.io/istio-release/pilot",
        "docker.io/istio/proxyv2:1.20.0",
        "https://[",
        "a@sha256:0",
        ":",
        "/",
        "auto",
    ),
    "kind": ("ClusterRole", "Role", "ServiceAccount", "Group", "User"),
    "loadBalancerSourceRanges": ("0.0.0.0/0", "::/0", "10.0.0.0/8", "::ffff:0:0/96", "2000::/3", "0.0.0.0/1", "/"),
    "name": ("a", "reader", "admin", "cluster-admin", "system:node", "istio-eastwestgateway", "istio-sidecar-injector"),
    "namespace": ("sample", "istio-system", "default"),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist"),
    "policyTypes": ("Ingress", "Egress"),
    "resources": ("*", "pods", "pods/exec", "roles", "groups", "*/proxy"),
    "subset": ("v1", "v2"),
    "type": ("LoadBalancer", "ClusterIP"),
    "values": ("reader", "a"),
    "verbs": ("*", "get", "list", "create", "bind", "escalate", "impersonate"),
}
"""Texts that rules search for, by the key that has them; the choice is small, so that objects refer to each other."""
MAPS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "annotations": (
        {"kubernetes.io/service-account.name": "reader"},
        {"kubectl.kubernetes.io/last-applied-configuration": '{"kind": "Secret", "data": {"a": "b"}}'},
        {"service.beta.kubernetes.io/load-balancer-source-ranges": "0.0.0.0/0,,a"},
    ),
    "labels": ({"istio/multiCluster": "true"}, {"istio-injection": "enabled"}, {"istio": "eastwestgateway"}),
    "matchLabels": ({}, {"istio": "a"}),
    "stringData": ({"east": "users: [{user: {token: a}}]\nclusters: [{cluster: {server: 'http://['}}]"}, {"east": "["}),
}
READ = {
    *(
        "aggregationRule",
        "clusterRoleSelectors",
        "clusters",
        "consecutive5xxErrors",
        "containers",
        "data",
        "destination",
    ),
    *(
        "env",
        "failover",
        "from",
        "hosts",
        "http",
        "ingress",
        "initContainers",
        "ipBlock",
        "jobTemplate",
        "loadBalancer",
    ),
    *("localityLbSetting", "matchExpressions", "metadata", "outlierDetection", "podSelector", "portLevelSettings"),
    *(
        "roleRef",
        "route",
        "rules",
        "selector",
        "spec",
        "subjects",
        "subsets",
        "tcp",
        "template",
        "trafficPolicy",
        "value",
    ),
    *("volumes", "weight", *POOLS, *MAPS),
}
"""The keys that rules read, which objects have more often than others."""
ODD = (
    "",
    "*",
    "*.",
    ".",
    "/",
    "//",
    ":",
    "@",
    "[",
    "{}",
    "a",
    "latest",
    "300.0.0.0/8",
    "https://[",
    "oci://",
    "users: [a]",
)
"""Texts at the limits of what rules parse."""
TEXTS = st.sampled_from([*ODD, UNKNOWN]) | st.text(string.printable, max_size=12)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-1, 65536) | st.sampled_from([0.5, -1e308, 1e308])
WILD: SearchStrategy[object] = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2)
"""Values of any shape, which an API would refuse, but a preview can contain."""


def kubernetes_object(kind: str) -> SearchStrategy[dict[str, Any]]:
    """Return a strategy for objects of a kind of Kubernetes."""
    return _of_model(KUBERNETES[kind], DEPTH)


@st.composite
def istio_object(draw: DrawFn, kind: str) -> dict[str, Any]:
    """Return an object of a kind of Istio's."""
    metadata = draw(_of_type("V1ObjectMeta", "metadata", DEPTH))
    return {"metadata": metadata, "spec": draw(_of_schema(ISTIO[kind], "spec", DEPTH))}


@st.composite
def _of_model(draw: DrawFn, name: str, depth: int) -> dict[str, Any]:
    """Return an object with the parts that rules read, and some of the others."""
    model = getattr(models, name)
    types = {model.attribute_map[key]: part for key, part in model.openapi_types.items()}
    return {key: draw(_of_type(types[key], key, depth)) for key in draw(_some(sorted(types)))}


@st.composite
def _of_type(draw: DrawFn, name: str, key: str, depth: int) -> object:
    """Return a value for a key, of a type in the notation of the client's models, such as `list[V1Container]`."""
    if depth == 0 or draw(st.integers(0, ODDS_OF_WILD)) == 0:
        return draw(WILD)
    holder, _, part = name.removesuffix("]").partition("[")
    match holder:
        case "list":
            return [draw(_of_type(part, key, depth - 1)) for _ in range(draw(st.integers(0, ITEMS)))]
        case "dict":
            return draw(_map(key))
        case "str" | "object" | "datetime":
            return draw(_text(key))
        case _ if hasattr(models, name):
            return draw(_of_model(name, depth - 1))
        case _:
            return draw(SCALARS)


@st.composite
def _of_schema(draw: DrawFn, schema: Mapping[str, Any], key: str, depth: int) -> object:
    """Return a value of an OpenAPI schema, for a key."""
    if depth == 0 or draw(st.integers(0, ODDS_OF_WILD)) == 0:
        return draw(WILD)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema.get("type"):
        case "array":
            return [draw(_of_schema(schema["items"], key, depth - 1)) for _ in range(draw(st.integers(0, ITEMS)))]
        case "object" if "properties" in schema:
            parts = schema["properties"]
            return {name: draw(_of_schema(parts[name], name, depth - 1)) for name in draw(_some(sorted(parts)))}
        case "object":
            return draw(_map(key))
        case other:
            return draw(_text(key) if other == "string" else SCALARS)


@st.composite
def _some(draw: DrawFn, keys: Sequence[str]) -> list[str]:
    """Return most of the keys that rules read, and at most one of the others."""
    read = [key for key in keys if key in READ and draw(st.integers(0, 3))]
    others = [key for key in keys if key not in READ]
    return read + (draw(st.lists(st.sampled_from(others), max_size=1)) if others else [])


def _text(key: str) -> SearchStrategy[str]:
    return st.sampled_from(POOLS[key]) if key in POOLS else TEXTS


def _map(key: str) -> SearchStrategy[Mapping[str, object]]:
    return st.sampled_from(MAPS[key]) if key in MAPS else st.dictionaries(TEXTS, SCALARS, max_size=ITEMS)
