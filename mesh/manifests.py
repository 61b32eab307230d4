"""The Kubernetes objects that a chart makes, as plain data: what the program changes in them, and in which order."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from mesh import names

Manifest = Mapping[str, Any]
"""One Kubernetes object, as in its YAML."""

CRD = "CustomResourceDefinition"

_BINDING_NEEDS = frozenset({"ClusterRole", "Role", "ServiceAccount"})
NEEDS: Mapping[str, frozenset[str]] = {
    "ClusterRoleBinding": _BINDING_NEEDS,
    "RoleBinding": _BINDING_NEEDS,
    "Deployment": _BINDING_NEEDS | {"ClusterRoleBinding", "RoleBinding", "ConfigMap", "Secret"},
}
"""
The kinds of a release that must exist before an object of a kind; nothing for other kinds.

An istiod that starts before its injector's template exists never serves injection, and no pod with a sidecar can start.
Webhooks wait for the pods themselves.
"""


PROPAGATION_SECONDS = 2
"""
How long a webhook's pod is ready until all nodes know its endpoint, in seconds.

A call of the webhook before that waits for its timeout of ten seconds, and with it the pod that is to be injected.
"""


def prepare(objects: Sequence[Manifest]) -> Sequence[Manifest]:
    """Return the objects of a release as the program registers them, each after those of the kinds in `NEEDS`."""
    scaled = {
        target["name"]
        for each in objects
        if each["kind"] == "HorizontalPodAutoscaler" and (target := each["spec"]["scaleTargetRef"])
    }
    serves_webhook = any(each["kind"] == "MutatingWebhookConfiguration" for each in objects)
    delay = {"minReadySeconds": PROPAGATION_SECONDS} if serves_webhook else {}
    return _in_order([_prepare(each, scaled, delay) for each in objects])


def _prepare(manifest: Manifest, scaled: Container[str], delay: Mapping[str, int]) -> Manifest:
    match manifest["kind"]:
        case "Deployment":
            # Otherwise a Deployment that someone scaled to zero would stay there: the stack would state no count.
            count = {} if manifest["metadata"]["name"] in scaled else {"replicas": 1}
            return {**manifest, "spec": {**count, **delay, **manifest["spec"]}}
        case "Service":
            # Pulumi would wait ten seconds for its endpoints to settle. What needs them waits for their Deployment.
            return _annotated(manifest, {names.SKIP_AWAIT: "true"})
        case kind if kind == CRD:
            return {**manifest, "spec": _without_descriptions(manifest["spec"])}
    return manifest


def _annotated(manifest: Manifest, annotations: Mapping[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}}


def _without_descriptions(crd_spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Leave out what a CRD's schemas say to readers alone.

    Pulumi keeps three copies of each object, and writes its whole state at each step (docs/adr/0017).
    """
    return {**crd_spec, "versions": [_bare_version(version) for version in crd_spec["versions"]]}


def _bare_version(version: Mapping[str, Any]) -> Mapping[str, Any]:
    # The API server refuses a version without a schema, by name.
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    return {**version, "schema": {"openAPIV3Schema": _bare_schema(schema)}} if schema else version


def _bare_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _bare_part(key, value) for key, value in schema.items() if key != "description"}


def _bare_part(key: str, value: Any) -> Any:  # noqa: ANN401 - JSON data
    # Only these keywords hold schemas: below `default` or `enum`, or as the name of a property, `description` is data.
    match key, value:
        case "properties", Mapping():
            return {name: _bare_schema(schema) for name, schema in value.items()}
        case "items" | "additionalProperties" | "not", Mapping():
            return _bare_schema(value)
        case "oneOf" | "anyOf" | "allOf", list():
            return [_bare_schema(schema) for schema in value]
    return value


def is_kept(manifest: Manifest) -> bool:
    """Whether the chart keeps an object when its release is deleted, as it does with its CRDs."""
    return bool((manifest["metadata"].get("annotations") or {}).get("helm.sh/resource-policy") == "keep")


def logical_name(chart: str, manifest: Manifest) -> str:
    """The logical name of a rendered object of the chart with the logical name `chart`."""
    metadata = manifest["metadata"]
    path = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    return f"{chart}:{path}"


def type_token(manifest: Manifest) -> str:
    """Pulumi's type of a rendered object."""
    version = manifest["apiVersion"] if "/" in manifest["apiVersion"] else f"core/{manifest['apiVersion']}"
    return f"kubernetes:{version}:{manifest['kind']}"


def _in_order(objects: Sequence[Manifest]) -> Sequence[Manifest]:
    return sorted(objects, key=lambda each: len(NEEDS.get(each["kind"], ())))
