"""
Access to one cluster, and the namespaces of the mesh in it.

Owns the credentials by which the program and the peers reach the cluster through Rancher, the Kubernetes providers, the
Rancher projects, and the namespaces. Does not own the cluster itself, nor anything of Istio.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_rancher2 as rancher2
import pulumi_random as random
from pulumi import Input, Output, ResourceOptions

from components import cluster_objects
from components.rancher_cluster_args import PeersUserArgs, PeerToken, RancherAccessArgs, RancherClusterArgs
from mesh import kubeconfigs, names, reader_rules

SECONDS_PER_HOUR = 3600
PASSWORD_LENGTH = 32
SLOTS = ("even", "odd")
"""Suffixes of the program's two tokens: the rotation's parity selects the active one."""
CONTAINER_LIMITS = {"cpu": "100m", "memory": "100Mi"}
CONTAINER_REQUESTS = {"cpu": "10m", "memory": "10Mi"}
"""Container defaults in istio-system; those of the project suit applications."""


class RancherCluster(pulumi.ComponentResource):
    """A cluster with its providers, Rancher projects and namespaces."""

    provider: k8s.Provider
    crd_provider: k8s.Provider
    """
    A provider that adopts existing objects: Istio's CRDs, which `destroy` keeps, and istio-system without charts.
    """
    object_options: ResourceOptions
    """The options of every Kubernetes object in this cluster."""
    identity: Input[str]
    """What a cluster that was rebuilt under the same name does not keep."""
    istio_namespace: k8s.core.v1.Namespace
    app_namespace: k8s.core.v1.Namespace
    limit_range: k8s.core.v1.LimitRange
    """Create it before any pod: it does not apply to existing ones."""
    peer_token: Output[str] | None
    """The Rancher token for the peers' remote secrets, a secret; `None` if they get none."""
    token_expiry: Mapping[str, str]
    """The earliest expiry of the Rancher tokens, by the name to export it under; empty without Rancher."""

    def __init__(self, name: str, args: RancherClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:RancherCluster", name, {"clusterName": args.cluster_name}, opts)
        annotations: dict[str, Input[str]] = {}
        app_annotations: dict[str, Input[str]] = {}
        limit_labels: dict[str, Input[str]] = {}
        self.peer_token, self.token_expiry = None, {}
        access = args.access
        if isinstance(access, RancherAccessArgs):
            token = self._own_token(name, access)
            kubeconfig: Input[str] = token.apply(partial(_proxy_kubeconfig, args.cluster_name, access))
            self.token_expiry = {"providerTokenExpiry": access.active_token_expiry}
            if access.peers is not PeerToken.NONE:
                self.peer_token = self._peer_token(name, access)
                self.token_expiry = {**self.token_expiry, "peersTokenExpiry": access.token_expiry}
            annotations = {
                **self._project(names.project(name), access, access.project),
                # Rancher sets each LimitRange with its label to these values; without them, to the project's.
                names.RANCHER_CONTAINER_LIMIT: _compact(
                    {
                        "requestsCpu": CONTAINER_REQUESTS["cpu"],
                        "requestsMemory": CONTAINER_REQUESTS["memory"],
                        "limitsCpu": CONTAINER_LIMITS["cpu"],
                        "limitsMemory": CONTAINER_LIMITS["memory"],
                    }
                ),
            }
            app_annotations = self._project(names.app_project(name), access, access.app_project)
            # Rancher manages LimitRanges with this label, and deletes them in namespaces without a project.
            limit_labels = {names.RANCHER_DEFAULT_QUOTA_LABEL: "true"}
        else:
            kubeconfig = access.kubeconfig
        if args.identity is None:
            # Nothing waits for a cluster that has no address.
            kubeconfig = kubeconfigs.NO_CLUSTER
        if args.namespace_node_selector is not None:
            annotations[names.NODE_SELECTOR_ANNOTATION] = args.namespace_node_selector

        self.identity = self._identity(name, args)
        self.object_options = cluster_objects.object_options(args.cluster_name, self.identity)
        # For CRDs alone: Rancher is a manager of each namespace, also of a new one.
        self._adopting_options = cluster_objects.adopting_options(args.cluster_name, self.object_options)
        self.provider = self._kubernetes(f"{name}-kubernetes", args, kubeconfig, adopts=False)
        self.crd_provider = self._kubernetes(f"{name}-kubernetes-crds", args, kubeconfig, adopts=True)
        child = ResourceOptions.merge(ResourceOptions(parent=self, provider=self.provider), self.object_options)
        self.istio_namespace = k8s.core.v1.Namespace(
            f"{name}-istio-system",
            metadata={
                "name": names.ISTIO_NAMESPACE,
                "labels": {names.NETWORK_LABEL: args.network},
                "annotations": annotations,
            },
            opts=ResourceOptions.merge(
                child, ResourceOptions(provider=self.crd_provider if args.adopts_istio_namespace else self.provider)
            ),
        )
        self.app_namespace = k8s.core.v1.Namespace(
            f"{name}-sample",
            metadata={
                "name": names.APP_NAMESPACE,
                "labels": {names.INJECTION_LABEL: "enabled"},
                "annotations": app_annotations,
            },
            opts=child,
        )
        self.limit_range = k8s.core.v1.LimitRange(
            f"{name}-istio-limitrange",
            metadata={
                "name": names.LIMIT_RANGE,
                "namespace": self.istio_namespace.metadata["name"],
                "labels": limit_labels,
            },
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": CONTAINER_LIMITS,
                        "default_request": CONTAINER_REQUESTS,
                    }
                ]
            },
            opts=child,
        )
        self.register_outputs({})

    def _kubernetes(self, name: str, args: RancherClusterArgs, kubeconfig: Input[str], *, adopts: bool) -> k8s.Provider:
        return k8s.Provider(
            name,
            kubeconfig=kubeconfig,
            # Without it, an unknown kubeconfig or one with a new token shows every resource as replaced.
            cluster_identifier=args.cluster_name,
            # Otherwise new data replaces a Secret or a ConfigMap, which is then missing for seconds.
            enable_secret_mutable=True,
            enable_config_map_mutable=True,
            # Otherwise a field that another program changed stays changed, and each update of it fails.
            enable_patch_force=True,
            upsert_existing_objects=adopts,
            skip_update_unreachable=True if args.identity is None else None,
            opts=ResourceOptions(parent=self),
        )

    @property
    def options(self) -> ResourceOptions:
        """The options of a component whose objects are all in this cluster."""
        return ResourceOptions(
            provider=self.provider,
            transformations=[
                cluster_objects.with_options(
                    {self.provider: self.object_options, self.crd_provider: self._adopting_options}
                )
            ],
        )

    def _identity(self, name: str, args: RancherClusterArgs) -> Input[str]:
        is_away = args.identity is None
        known = random.RandomId(
            f"{name}-identity",
            byte_length=4,
            keepers={"identity": args.identity or ""},
            # While the cluster is away, the state alone knows its identity.
            opts=ResourceOptions(parent=self, ignore_changes=["keepers"] if is_away else None),
        )
        return args.identity or known.keepers.apply(lambda keepers: str((keepers or {})["identity"]))

    def _own_token(self, name: str, access: RancherAccessArgs) -> Output[str]:
        # An active and a standby token: with a token that does not exist yet, a preview has no kubeconfig and shows
        # every object of every chart as deleted (docs/adr/0004).
        active, _standby = (
            self._token(name, f"provider-{SLOTS[rotation % len(SLOTS)]}", access, rotation)
            for rotation in (access.token_rotation, access.token_rotation + 1)
        )
        return active

    def _generation(self, name: str, use: str, rotation: int) -> random.RandomId:
        return random.RandomId(
            f"{name}-{use}-token-generation",
            byte_length=4,
            # Another key would rotate every token of existing stacks.
            keepers={"turn": str(rotation)},
            opts=ResourceOptions(parent=self),
        )

    def _token(self, name: str, use: str, access: RancherAccessArgs, rotation: int) -> Output[str]:
        generation = self._generation(name, use, rotation)
        token = rancher2.Token(
            f"{name}-{use}-token",
            cluster_id=access.cluster_id,
            description=_describe_token(name, use, generation),
            ttl=access.token_ttl_hours * SECONDS_PER_HOUR,
            opts=ResourceOptions(parent=self, provider=access.provider, replacement_trigger=generation.hex),
        )
        return Output.secret(token.token)

    def _peer_token(self, name: str, access: RancherAccessArgs) -> Output[str]:
        if not isinstance(access.peers, PeersUserArgs):
            return self._token(name, "peers", access, access.token_rotation)
        generation = self._generation(name, "peers", access.token_rotation)
        child = ResourceOptions(parent=self, provider=access.provider)
        username = access.peers.username
        password = random.RandomPassword(
            f"{name}-peers-password", length=PASSWORD_LENGTH, special=False, opts=ResourceOptions(parent=self)
        )
        user = rancher2.User(
            f"{name}-peers-user", username=username, name=username, password=password.result, opts=child
        )
        # A user must log in to create its token, which needs a global role.
        login = rancher2.GlobalRoleBinding(
            f"{name}-peers-login", global_role_id="user-base", user_id=user.id, opts=child
        )
        role = rancher2.RoleTemplate(
            f"{name}-peers-role",
            name=username,
            context="cluster",
            description=names.peers_role_description(name),
            rules=[
                {"api_groups": [rule.api_group], "resources": rule.resources, "verbs": reader_rules.READ}
                for rule in access.peers.rights.rules
            ],
            opts=child,
        )
        binding = rancher2.ClusterRoleTemplateBinding(
            f"{name}-peers-binding",
            name=username,
            cluster_id=access.cluster_id,
            role_template_id=role.id,
            user_id=user.id,
            opts=child,
        )
        token = rancher2.CustomUserToken(
            f"{name}-peers-token",
            username=user.username,
            password=password.result,
            cluster_id=access.cluster_id,
            description=_describe_token(name, "peers", generation),
            ttl=access.token_ttl_hours * SECONDS_PER_HOUR,
            opts=ResourceOptions(
                parent=self,
                provider=access.provider,
                depends_on=[login, binding],
                replacement_trigger=generation.hex,
            ),
        )
        return Output.secret(token.token)

    def _project(self, name: str, access: RancherAccessArgs, config: Mapping[str, Any]) -> dict[str, Input[str]]:
        """Create a project, and return the annotations of a namespace in it."""
        quota = config["namespace_quota"]
        project = rancher2.Project(
            name,
            name=config["name"],
            cluster_id=access.cluster_id,
            description=config["description"],
            container_resource_limit=config["container_limit"],
            resource_quota={"namespace_default_limit": quota, "project_limit": config["project_quota"]},
            opts=ResourceOptions(parent=self, provider=access.provider),
        )
        limit = {"limitsCpu": quota["limits_cpu"], "limitsMemory": quota["limits_memory"]}
        return {names.RANCHER_PROJECT_ID: project.id, names.RANCHER_RESOURCE_QUOTA: _compact({"limit": limit})}


def _describe_token(name: str, use: str, generation: random.RandomId) -> Output[str]:
    return Output.concat("mcsps ", use, " of ", name, ", ", generation.hex)


def _compact(value: Mapping[str, object]) -> str:
    # Exactly as Rancher writes it, with its order of keys: Rancher and Pulumi would overwrite any other text in turn.
    return json.dumps(value, separators=(",", ":"))


def _proxy_kubeconfig(name: str, access: RancherAccessArgs, token: str) -> str:
    server = kubeconfigs.rancher_server(access.url, access.cluster_id)
    return kubeconfigs.render_token_kubeconfig(name=name, server=server, ca_pem=access.ca_certs, token=token)
