"""
`kubernetes.helm.v4.Chart`: rendered by the `helm` binary, then registered object by object.

As in Pulumi's provider, hooks are not rendered, objects are named `<chart resource>:<namespace>/<name>`, and Helm's
policy `keep` becomes `retain_on_delete`. Helm's own storage stays empty.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Final

import yaml

from errors import UserError
from lab.standin.providers.kubernetes import PREFIX
from recorder.registrations import Registration, make_urn
from recorder.values import has_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.standin.cluster import ClusterApi
    from recorder.values import Properties

CHART: Final = f"{PREFIX}helm.sh/v4:Chart"
_INPUTS: Final = frozenset(
    {"chart", "name", "namespace", "repositoryOpts", "resourcePrefix", "skipAwait", "skipCrds", "values", "version"}
)
_TIMEOUT_SECONDS: Final = 120
_POLICY: Final = "helm.sh/resource-policy"
_DEPENDS_ON: Final = "config.kubernetes.io/depends-on"
_BEFORE_ALL: Final = ("Namespace", "CustomResourceDefinition")

# The order in which Helm applies kinds; all other kinds follow.
_FIRST: Final = (
    *_BEFORE_ALL,
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "Deployment",
)


def render(
    registration: Registration, cluster: ClusterApi, helm: Callable[[], Path], default_namespace: str
) -> list[Properties]:
    """
    Render a chart for the cluster's version and kinds, in the order of installation.

    Raises:
        UserError: An input is not supported, a value is secret, or `helm` failed.
    """
    inputs = registration.inputs
    if unknown := sorted(set(inputs) - _INPUTS):
        raise UserError(f"Chart {registration.name}: {', '.join(unknown)} is not supported by the stand-in")
    if has_secret(inputs):
        raise UserError(f"Chart {registration.name}: a value is secret", "Pass it in a Kubernetes Secret")
    namespace = inputs.get("namespace", default_namespace)
    rendered = _run(_command(registration, cluster, helm, namespace), json.dumps(inputs.get("values", {})))
    manifests = [manifest for document in yaml.safe_load_all(rendered) for manifest in _expand(document)]
    for manifest in manifests:
        metadata = manifest["metadata"]
        if "namespace" not in metadata and _is_namespaced(manifest, manifests, cluster):
            metadata["namespace"] = namespace
        if inputs.get("skipAwait"):
            metadata["annotations"] = {**(metadata.get("annotations") or {}), "pulumi.com/skipAwait": "true"}
    return sorted(manifests, key=_rank)


def needs(children: list[Registration]) -> dict[str, set[str]]:
    """
    Return, by URN, the dependencies of each object of a chart: its definition, and the objects in its annotation.

    Raises:
        UserError: The annotation names an object that is not in the chart.
    """
    references = {_reference(child.inputs): child.urn for child in children}
    first = {child.urn for child in children if child.inputs["kind"] in _BEFORE_ALL}
    found: dict[str, set[str]] = {}
    for child in children:
        annotations = child.inputs["metadata"].get("annotations") or {}
        named = {name.strip() for name in annotations.get(_DEPENDS_ON, "").split(",") if name.strip()}
        if unknown := sorted(named - references.keys()):
            raise UserError(f"{child.name}: {_DEPENDS_ON} names {', '.join(unknown)}, which is not in the chart")
        found[child.urn] = {references[name] for name in named} | (set() if child.urn in first else first)
    return found


def _reference(manifest: Properties) -> str:
    """Return the reference of an object in the annotation's format."""
    group = manifest["apiVersion"].rpartition("/")[0]
    metadata = manifest["metadata"]
    namespace = f"namespaces/{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{group}/{namespace}{manifest['kind']}/{metadata['name']}"


def child(chart: Registration, manifest: Properties) -> Registration:
    """Return the registration of a rendered object, as Pulumi's provider makes it."""
    metadata = manifest["metadata"]
    path = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    prefix = chart.inputs.get("resourcePrefix", chart.name)
    name = f"{prefix}:{path}" if prefix else path
    version = manifest["apiVersion"] if "/" in manifest["apiVersion"] else f"core/{manifest['apiVersion']}"
    type_ = f"{PREFIX}{version}:{manifest['kind']}"
    stack, project = chart.urn.split("::")[:2]
    return Registration(
        urn=make_urn(
            stack=stack.removeprefix("urn:pulumi:"), project=project, parent=chart.urn, type_=type_, name=name
        ),
        type=type_,
        name=name,
        parent=chart.urn,
        custom=True,
        remote=False,
        inputs=manifest,
        provider=chart.providers.get("kubernetes") or chart.provider,
        providers={},
        dependencies=chart.dependencies,
        property_dependencies={},
        protect=chart.protect,
        retain_on_delete=chart.retain_on_delete or (metadata.get("annotations") or {}).get(_POLICY) == "keep",
        ignore_changes=(),
        delete_before_replace=False,
        deleted_with=None,
        aliases=(),
        additional_secret_outputs=(),
        replacement_trigger=None,
        custom_timeouts=chart.custom_timeouts,
        version=chart.version,
        other_options=(),
    )


def _command(registration: Registration, cluster: ClusterApi, helm: Callable[[], Path], namespace: str) -> list[str]:
    inputs = registration.inputs
    version, api_versions = cluster.capabilities()
    repository = inputs.get("repositoryOpts", {})
    if unknown := sorted(set(repository) - {"repo"}):
        raise UserError(f"Chart {registration.name}: repositoryOpts {', '.join(unknown)} is not supported")
    return [
        # Last, because the binary may have to be built, and refused charts do not need it.
        str(helm()),
        "template",
        inputs.get("name", registration.name),
        inputs["chart"],
        "--namespace",
        namespace,
        "--no-hooks",
        "--values",
        "-",
        "--kube-version",
        version,
        "--api-versions",
        ",".join(api_versions),
        *([] if inputs.get("skipCrds") else ["--include-crds"]),
        *(["--version", inputs["version"]] if "version" in inputs else []),
        *(["--repo", repository["repo"]] if "repo" in repository else []),
    ]


def _run(command: list[str], values: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the arguments are the program's own
            command, input=values, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except OSError as error:
        raise UserError(f"{command[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"helm did not render {command[3]} within {_TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        raise UserError(f"helm cannot render {command[3]}: {done.stderr.strip()}")
    return done.stdout


def _expand(document: Properties | None) -> Iterator[Properties]:
    if not document:
        return
    if document["kind"].endswith("List") and "items" in document:
        for item in document["items"]:
            yield from _expand(item)
    else:
        yield document


def _is_namespaced(manifest: Properties, all_manifests: list[Properties], cluster: ClusterApi) -> bool:
    """Return whether a kind is namespaced, by the chart's own definitions or else by the cluster."""
    group = manifest["apiVersion"].rpartition("/")[0]
    for other in all_manifests:
        spec = other.get("spec", {})
        if other["kind"] == "CustomResourceDefinition" and (spec["group"], spec["names"]["kind"]) == (
            group,
            manifest["kind"],
        ):
            return bool(spec["scope"] == "Namespaced")
    return cluster.is_namespaced(manifest["apiVersion"], manifest["kind"])


def _rank(manifest: Properties) -> int:
    return _FIRST.index(manifest["kind"]) if manifest["kind"] in _FIRST else len(_FIRST)
