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
DEPTH, KEYS, ITEMS = 7, 3, 2
WORDS = (
    *("", "*", ".", "a", "default", "istio-system", "east", "v1", "mesh", "latest", "true", "enabled", "Ingress", "In"),
    *("get", "bind", "ServiceAccount", "ClusterRole", "admin", "reader", "system:authenticated", "LoadBalancer"),
    *("0.0.0.0/0", "::/0", "10.0.0.0/8", "300.0.0.0/8", "::ffff:0:0/96", "2000::/3", "istio-eastwestgateway"),
    *("gcr.io/istio-release/pilot", "docker.io/istio/proxyv2:1.20.0", "https://[", "oci://a", "a@sha256:0", ":", "/"),
    *("*.sample.svc.cluster.local", "a.svc", "users: [{name: a, user: {token: a}}]", "[", "kind: Config", "{}"),
    *("-----BEGIN PRIVATE KEY-----\nM", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj", "MIIB", "eyJhbGciOiJub25lIn0.eyJ"),
    *("postgres://a:b@c", "istio/multiCluster", "kubernetes.io/service-account.name", "istio-injection", UNKNOWN),
)
TEXTS = st.sampled_from(WORDS) | st.text(string.printable, max_size=12)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-1, 65536) | st.sampled_from([0.5, -1e308, 1e308])
WILD: SearchStrategy[object] = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2)
"""Values of any shape, which an API would refuse, and a preview may have all the same."""


def kubernetes_object(kind: str) -> SearchStrategy[dict[str, Any]]:
    """Objects of a kind of Kubernetes."""
    return _of_model(KUBERNETES[kind])


def istio_object(kind: str) -> SearchStrategy[dict[str, Any]]:
    """Objects of a kind of Istio's."""
    metadata = _of_type("V1ObjectMeta", DEPTH)
    return st.fixed_dictionaries({"metadata": metadata, "spec": _of_schema(ISTIO[kind], DEPTH)})


@st.composite
def _of_model(draw: DrawFn, name: str) -> dict[str, Any]:
    """An object with its metadata, and the parts that a model has besides."""
    model = getattr(models, name)
    parts = {key: part for key, part in model.openapi_types.items() if key not in ("api_version", "kind", "status")}
    return {
        model.attribute_map[key]: draw(_of_type(part, DEPTH))
        for key, part in parts.items()
        if key in ("metadata", "spec", "rules", "subjects", "role_ref", "data", "string_data") or draw(st.booleans())
    }


@st.composite
def _of_type(draw: DrawFn, name: str, depth: int) -> object:
    """A value of a type as the client's models name it, such as `list[V1Container]`."""
    if depth == 0 or draw(st.integers(0, 11)) == 0:
        return draw(WILD)
    holder, _, part = name.removesuffix("]").partition("[")
    match holder:
        case "list":
            return [draw(_of_type(part, depth - 1)) for _ in range(draw(st.integers(0, ITEMS)))]
        case "dict":
            values = part.partition(", ")[2]
            return {draw(TEXTS): draw(_of_type(values, depth - 1)) for _ in range(draw(st.integers(0, ITEMS)))}
        case "str" | "object" | "datetime":
            return draw(TEXTS)
        case _ if hasattr(models, name):
            model = getattr(models, name)
            keys = draw(_some(sorted(model.openapi_types)))
            return {model.attribute_map[key]: draw(_of_type(model.openapi_types[key], depth - 1)) for key in keys}
        case _:
            return draw(SCALARS)


@st.composite
def _of_schema(draw: DrawFn, schema: Mapping[str, Any], depth: int) -> object:
    """A value of an OpenAPI schema."""
    if depth == 0 or draw(st.integers(0, 11)) == 0:
        return draw(WILD)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    match schema.get("type"):
        case "array":
            return [draw(_of_schema(schema["items"], depth - 1)) for _ in range(draw(st.integers(0, ITEMS)))]
        case "object" if "properties" in schema:
            keys = draw(_some(sorted(schema["properties"])))
            return {key: draw(_of_schema(schema["properties"][key], depth - 1)) for key in keys}
        case "object":
            return draw(st.dictionaries(TEXTS, SCALARS, max_size=ITEMS))
        case other:
            return draw(TEXTS if other == "string" else SCALARS)


def _some(keys: Sequence[str]) -> SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(keys), unique=True, min_size=1, max_size=KEYS)
