"""
Istio by its in-cluster operator: two IstioOperator resources, and a right that its istiod lacks.

The operator is there already, and so is the definition of IstioOperator. What it makes is its own; the gateways'
Services are not among that.
"""

from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from components._istio_install_args import IstioInstallArgs
from mesh import istio_values, names, operator_specs

TARGET_PORTS = {names.HTTP_PORT: 8080, names.HTTPS_PORT: 8443}
"""By port of the Service: the operator's gateways may not listen below 1024, so istiod tells them of no port there."""

_SERVICE_ACCOUNTS = ("istiod", "istiod-service-account")
"""As which istiod runs, by version and history of the installation."""


def install(parent: Resource, name: str, args: IstioInstallArgs, cacerts: Resource) -> Resource:
    """Register the resources below `parent`, and return what stands once the east-west gateway is ready."""
    binding = _extensions_reader(parent, name)
    control_plane = _istio_operator(
        f"{name}-control-plane",
        names.CONTROL_PLANE,
        operator_specs.control_plane_spec(args.control_plane),
        args.control_plane.timeout_seconds,
        ResourceOptions(parent=parent, depends_on=[cacerts, binding]),
    )
    return _istio_operator(
        f"{name}-eastwestgateway",
        names.EASTWEST,
        operator_specs.eastwest_spec(args.control_plane),
        args.control_plane.timeout_seconds,
        ResourceOptions(parent=parent, depends_on=[control_plane]),
    )


def _istio_operator(
    name: str, physical_name: str, spec: Mapping[str, Any], timeout_seconds: int, opts: ResourceOptions
) -> Resource:
    return k8s.apiextensions.CustomResource(
        name,
        api_version="install.istio.io/v1alpha1",
        kind="IstioOperator",
        metadata={
            "name": physical_name,
            "namespace": names.ISTIO_NAMESPACE,
            "annotations": {
                names.WAIT_FOR: "jsonpath={.status.status}=HEALTHY",
                **istio_values.timeout_annotation(timeout_seconds),
                **istio_values.deletion_annotation(),
            },
        },
        spec=spec,
        opts=opts,
    )


def _extensions_reader(parent: Resource, name: str) -> Resource:
    # Istio 1.12 gave istiod no right to the WasmPlugins that it waits for at its start. Istiod's own role is the
    # operator's to write, so the right comes by another; where istiod has it, it changes nothing.
    child = ResourceOptions(parent=parent)
    metadata: ObjectMetaArgsDict = {
        "name": names.ISTIOD_EXTENSIONS_READER,
        "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
    }
    role = k8s.rbac.v1.ClusterRole(
        f"{name}-extensions-reader",
        metadata=metadata,
        rules=[
            {"api_groups": ["extensions.istio.io"], "resources": ["wasmplugins"], "verbs": ["get", "list", "watch"]}
        ],
        opts=child,
    )
    return k8s.rbac.v1.ClusterRoleBinding(
        f"{name}-extensions-reader-binding",
        metadata=metadata,
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role.metadata["name"]},
        subjects=[
            {"kind": "ServiceAccount", "name": account, "namespace": names.ISTIO_NAMESPACE}
            for account in _SERVICE_ACCOUNTS
        ],
        opts=child,
    )
