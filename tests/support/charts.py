"""A double of the function that renders charts: a few objects of each of Istio's charts, with the values in them."""

import json
from collections.abc import Mapping
from typing import Any

from mesh.istio_charts import Release, RenderedRelease
from recorder.values import Properties

FUNCTION = "kubernetes:helm:template"
CRD = "gateways.networking.istio.io"
KEPT = {"helm.sh/resource-policy": "keep"}
RULES = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}]
RBAC = "rbac.authorization.k8s.io/v1"


def render(arguments: Properties) -> list[dict[str, Any]]:
    """Return the objects of a release, from the arguments of the function."""
    options = json.loads(arguments["jsonOpts"])
    chart = options["chart"].rpartition("/")[2]
    objects: list[dict[str, Any]] = {"base": _base, "istiod": _istiod, "gateway": _gateway}[chart](options)
    return objects


def _base(_: dict[str, Any]) -> list[dict[str, Any]]:
    schema = {"type": "object", "description": "What readers are told"}
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]
    spec = {"versions": versions}
    crd = _object("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD, annotations=KEPT, spec=spec)
    webhook = "ValidatingWebhookConfiguration"
    return [crd, _object("admissionregistration.k8s.io/v1", webhook, "istiod-default-validator", labels={})]


def _istiod(options: dict[str, Any]) -> list[dict[str, Any]]:
    values, namespace = options["values"], options["namespace"]
    deployment = _deployment("istiod", namespace, values["deploymentAnnotations"], values["resources"])
    webhook = "MutatingWebhookConfiguration"
    return [
        deployment,
        _scaler("istiod", namespace),
        _object("v1", "Service", "istiod", namespace, spec={"ports": [{"name": "https-dns", "port": 15012}]}),
        _object("v1", "ConfigMap", "istio-sidecar-injector", namespace, data={"values": "{}"}),
        _object(RBAC, "ClusterRoleBinding", "istiod-clusterrole-istio-system"),
        _object(RBAC, "ClusterRole", "istiod-clusterrole-istio-system", rules=RULES),
        _object("v1", "ServiceAccount", "istiod", namespace),
        _object(
            "admissionregistration.k8s.io/v1",
            webhook,
            "istio-sidecar-injector",
            annotations=values["sidecarInjectorWebhookAnnotations"],
        ),
    ]


def _gateway(options: dict[str, Any]) -> list[dict[str, Any]]:
    name, values, namespace = options["release_name"], options["values"], options["namespace"]
    deployment = _deployment(name, namespace, values["annotations"], values["resources"], values.get("labels"))
    return [deployment, _scaler(name, namespace), _object("v1", "ServiceAccount", name, namespace)]


def _deployment(
    name: str,
    namespace: str,
    annotations: dict[str, str],
    resources: dict[str, Any],
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name, **(labels or {})}},
        "spec": {"containers": [{"name": "main", "image": "auto", "resources": resources}]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return _object("apps/v1", "Deployment", name, namespace, annotations=annotations, spec=spec)


def _scaler(name: str, namespace: str) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5}
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", name, namespace, spec=spec)


def _object(  # noqa: PLR0913 - the parts of an object
    api_version: str,
    kind: str,
    name: str,
    namespace: str | None = None,
    *,
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    **rest: Any,  # noqa: ANN401 - JSON data
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "annotations": annotations, "labels": labels}
    kept = {key: value for key, value in metadata.items() if value}
    return {"apiVersion": api_version, "kind": kind, "metadata": kept, **rest}


def render_releases(releases: Mapping[str, Release]) -> Mapping[str, RenderedRelease]:
    """Return releases with their objects, as the program gets them from the function."""
    return {
        name: RenderedRelease(
            release=release,
            objects=render(
                {
                    "jsonOpts": json.dumps(
                        {
                            "chart": release.source.chart,
                            "release_name": name,
                            "namespace": "istio-system",
                            "values": release.values,
                        }
                    )
                }
            ),
        )
        for name, release in releases.items()
    }
