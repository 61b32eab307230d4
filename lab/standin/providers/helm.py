"""
The function `kubernetes:helm:template`: renders a chart by the `helm` binary.

No cluster is queried, as in Pulumi's provider if its cluster is unreachable: the chart sees the Kubernetes version that
the program passes and Helm's own API versions, and an unknown kind counts as namespaced.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from recorder.values import Properties

TEMPLATE: Final = "kubernetes:helm:template"
_OPTIONS: Final = frozenset(
    {
        "chart",
        "fetch_opts",
        "include_test_hook_resources",
        "kube_version",
        "namespace",
        "path",
        "release_name",
        "values",
        "version",
    }
)
_TIMEOUT_SECONDS: Final = 120
_CLUSTER_SCOPED: Final = frozenset(
    {
        "/Namespace",
        "/Node",
        "/PersistentVolume",
        "admissionregistration.k8s.io/MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
        "apiextensions.k8s.io/CustomResourceDefinition",
        "apiregistration.k8s.io/APIService",
        "certificates.k8s.io/CertificateSigningRequest",
        "flowcontrol.apiserver.k8s.io/FlowSchema",
        "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
        "networking.k8s.io/IngressClass",
        "node.k8s.io/RuntimeClass",
        "rbac.authorization.k8s.io/ClusterRole",
        "rbac.authorization.k8s.io/ClusterRoleBinding",
        "scheduling.k8s.io/PriorityClass",
        "storage.k8s.io/CSIDriver",
        "storage.k8s.io/CSINode",
        "storage.k8s.io/StorageClass",
        "storage.k8s.io/VolumeAttachment",
    }
)
"""The kinds that Pulumi's provider knows to be cluster-scoped without a cluster."""


def template(arguments: Properties, helm: Callable[[], Path]) -> Properties:
    """
    Return a chart's objects under `result`, in the order of installation, with hooks last and without empty documents.

    Args:
        arguments: `jsonOpts` with the options as JSON text.
        helm: Returns the binary, which may have to be built.

    Raises:
        UserError: An option is not supported, or `helm` failed.
    """
    options = json.loads(arguments["jsonOpts"])
    fetch = options.get("fetch_opts", {})
    unknown = [*(options.keys() - _OPTIONS), *(f"fetch_opts.{name}" for name in fetch.keys() - {"repo"})]
    if unknown:
        raise UserError(f"{TEMPLATE}: {', '.join(sorted(unknown))} is not supported by the stand-in")
    # The C loader is eight times as fast, and Istio's definitions are a megabyte.
    documents = yaml.load_all(_run(_command(options, helm), options.get("values", {})), Loader=yaml.CSafeLoader)
    objects = [found for found in documents if found and found.get("kind") and found.get("apiVersion")]
    for found in objects:
        if options.get("namespace") and _is_namespaced(found):
            metadata = found.setdefault("metadata", {})
            metadata["namespace"] = metadata.get("namespace") or options["namespace"]
    return {"result": objects}


def _command(options: Properties, helm: Callable[[], Path]) -> list[str]:
    chart, repository = options["chart"], options.get("fetch_opts", {}).get("repo")
    return [
        str(helm()),
        "template",
        options["release_name"],
        str(Path(options["path"]) / chart) if options.get("path") else chart,
        "--namespace",
        options.get("namespace") or "default",
        "--include-crds",
        "--values",
        "-",
        *([] if options.get("include_test_hook_resources") else ["--skip-tests"]),
        *(["--kube-version", options["kube_version"]] if options.get("kube_version") else []),
        *(["--version", options["version"]] if options.get("version") else []),
        *(["--repo", repository] if repository else []),
    ]


def _run(command: list[str], values: Properties) -> str:
    _, _, release, chart, *_ = command
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the arguments are the program's own
            command, input=json.dumps(values), capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except OSError as error:
        raise UserError(f"{command[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"helm did not render {chart} for {release} within {_TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        raise UserError(f"helm cannot render {chart} for {release}: {done.stderr.strip()}")
    return done.stdout


def _is_namespaced(found: Properties) -> bool:
    group = found["apiVersion"].rpartition("/")[0]
    return f"{group}/{found['kind']}" not in _CLUSTER_SCOPED
