"""
Istio by its in-cluster operator: two IstioOperator resources, and a role that its istiod lacks.

The operator and the CRD of IstioOperator exist already. The operator owns what it creates; the gateways' Services are
the program's.
"""

from collections.abc import Mapping
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from components.istio_install_args import IstioInstallArgs, Readiness
from mesh import istio_values, names, operator_specs

TARGET_PORTS = {names.HTTP_PORT: 8080, names.HTTPS_PORT: 8443}
"""Target port by Service port, since the operator's gateways cannot bind ports below 1024."""

_SERVICE_ACCOUNTS = ("istiod", "istiod-service-account")
"""The possible service accounts of istiod, which depend on the version and the history of the installation."""


def install(parent: Resource, name: str, args: IstioInstallArgs, cacerts: Resource) -> Readiness:
    """Register the resources below `parent`."""
    binding = _extensions_reader(parent, name)
    control_plane = _istio_operator(
        f"{name}-control-plane",
        names.CONTROL_PLANE,
        operator_specs.control_plane_spec(args.control_plane),
        args.control_plane.timeout_seconds,
        ResourceOptions(parent=parent, depends_on=[cacerts, binding]),
    )
    eastwest = _istio_operator(
        f"{name}-eastwestgateway",
        names.EASTWEST,
        operator_specs.eastwest_spec(args.control_plane),
        args.control_plane.timeout_seconds,
        ResourceOptions(parent=parent, depends_on=[control_plane]),
    )
    return Readiness(injects=[control_plane], accepts=[eastwest])


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
    # Istiod 1.12 waits at its start for WasmPlugins that its role does not let it read. The operator owns that role, so
    # the program adds a second one. It changes nothing where istiod can read them already.
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
