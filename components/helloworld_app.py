"""
The demo application on one cluster, with the routing that is the same in every cluster.

Owns the Service, the Deployments of the versions that this cluster runs, Gateway, DestinationRule and VirtualServices.
Does not own the meaning of the weights, which is the config's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, ProbeArgsDict

from components.istio_install_args import Readiness
from mesh import istio_values, names, routing

UID = 10001


@dataclass(frozen=True, kw_only=True, eq=False)
class HelloworldAppArgs:
    """The versions that one cluster runs, and the routing of requests."""

    cluster_name: str
    images: Mapping[str, str]
    """Image by version, for the versions that this cluster runs."""
    weights: Mapping[str, int]
    """Percent by version, the same in every cluster."""
    audiences: Sequence[routing.Audience]
    """Requests that follow no weight, the same in every cluster."""
    failover: routing.Failover | None
    """How clients avoid failed endpoints, the same in every cluster; `None` for Istio's defaults."""
    locality: str | None
    """Istio's locality of this cluster's pods; `None` for that of their nodes."""
    replicas: int
    """Pods of each version."""
    requests: Mapping[str, str]
    """Resource requests of each container, as Kubernetes quantities."""
    limits: Mapping[str, str]
    """Resource limits of each container, as Kubernetes quantities."""
    drain_seconds: int
    """The preStop sleep of each pod, in seconds, until all proxies know that it terminates; 0 for none."""
    timeout_seconds: int
    """How long to wait for each Deployment, in seconds."""
    networking_api: str
    """The apiVersion of Istio's routing; a change replaces the objects."""
    istio: Readiness
    """What pods and routing are created after."""


class HelloworldApp(pulumi.ComponentResource):
    """The application helloworld and its routing on one cluster."""

    def __init__(self, name: str, args: HelloworldAppArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:HelloworldApp", name, {"clusterName": args.cluster_name}, opts)
        k8s.core.v1.Service(
            name,
            metadata={
                "name": names.HELLOWORLD,
                "namespace": names.APP_NAMESPACE,
                "labels": {"app": names.HELLOWORLD, "service": names.HELLOWORLD},
                # A cluster without any version still routes to its peers' pods.
                "annotations": {names.SKIP_AWAIT: "true"},
            },
            spec={
                "selector": {"app": names.HELLOWORLD},
                "ports": [{"name": "http", "port": names.HELLOWORLD_PORT, "target_port": names.HELLOWORLD_PORT}],
            },
            opts=ResourceOptions(parent=self),
        )
        for version, image in args.images.items():
            self._deployment(name, version, image, args)

        def routing_object(
            suffix: str, kind: str, physical_name: str, spec: Mapping[str, Any], after: Sequence[Resource] = ()
        ) -> k8s.apiextensions.CustomResource:
            return k8s.apiextensions.CustomResource(
                f"{name}-{suffix}",
                api_version=args.networking_api,
                kind=kind,
                metadata={
                    "name": physical_name,
                    "namespace": names.APP_NAMESPACE,
                    "annotations": istio_values.deletion_annotation(),
                },
                spec=spec,
                opts=ResourceOptions(parent=self, depends_on=[*args.istio.accepts, *after]),
            )

        rule = routing_object(
            "destination-rule",
            "DestinationRule",
            names.HELLOWORLD,
            routing.destination_rule_spec(tuple(args.weights), args.failover),
        )
        routing_object("gateway", "Gateway", names.HELLOWORLD_GATEWAY, routing.gateway_spec())
        for route, gateway, host in (
            (names.HELLOWORLD, names.HELLOWORLD_GATEWAY, "*"),
            (names.HELLOWORLD_MESH, "mesh", names.HELLOWORLD_HOST),
        ):
            routing_object(
                f"route-{'mesh' if gateway == 'mesh' else 'ingress'}",
                "VirtualService",
                route,
                routing.virtual_service_spec(
                    gateway=gateway,
                    host=host,
                    weights=args.weights,
                    audiences=args.audiences,
                    failover=args.failover,
                ),
                # A route to an undefined subset answers 503.
                after=[rule],
            )
        self.register_outputs({})

    def _deployment(self, name: str, version: str, image: str, args: HelloworldAppArgs) -> None:
        labels = {"app": names.HELLOWORLD, "version": version}
        probe: ProbeArgsDict = {"http_get": {"path": "/health", "port": names.HELLOWORLD_PORT}}
        container: ContainerArgsDict = {
            "name": names.HELLOWORLD,
            "image": image,
            "env": [{"name": "SERVICE_VERSION", "value": version}],
            "ports": [{"name": "http", "container_port": names.HELLOWORLD_PORT}],
            "readiness_probe": probe,
            "resources": {"requests": args.requests, "limits": args.limits},
            "security_context": {
                "allow_privilege_escalation": False,
                "capabilities": {"drop": ["ALL"]},
                "read_only_root_filesystem": True,
            },
            "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - the container's own
        }
        if args.drain_seconds:
            container["lifecycle"] = {"pre_stop": {"sleep": {"seconds": args.drain_seconds}}}
        k8s.apps.v1.Deployment(
            f"{name}-{version}",
            metadata={
                "name": names.version_deployment(version),
                "namespace": names.APP_NAMESPACE,
                "labels": labels,
                "annotations": istio_values.timeout_annotation(args.timeout_seconds),
            },
            spec={
                "replicas": args.replicas,
                "selector": {"match_labels": labels},
                "template": {
                    "metadata": {"labels": {**labels, **istio_values.locality_label(args.locality)}},
                    "spec": {
                        "automount_service_account_token": False,
                        "security_context": {
                            "run_as_non_root": True,
                            "run_as_user": UID,
                            "run_as_group": UID,
                            "seccomp_profile": {"type": "RuntimeDefault"},
                        },
                        "containers": [container],
                        # The gunicorn of Istio's image needs a temporary folder to start.
                        "volumes": [{"name": "tmp", "empty_dir": {"size_limit": "16Mi"}}],
                    },
                },
            },
            opts=ResourceOptions(parent=self, depends_on=args.istio.injects),
        )
