"""
Access to one cluster, and the namespaces that the mesh lives in.

Owns the credentials by which the program reaches the cluster and those that Rancher gives to its peers, the Kubernetes
providers, the Rancher projects, and the namespaces. Does not own the cluster itself, nor anything of Istio.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

import pulumi
import pulumi_kubernetes as k8s
import pulumi_rancher2 as rancher2
import pulumi_random as random
from pulumi import Input, Output, ResourceOptions

from mesh import kubeconfigs, names, reader_rules
from mesh.reader_rules import ReaderRights

SECONDS_PER_HOUR = 3600
PASSWORD_LENGTH = 32
SLOTS = ("even", "odd")
"""Of the program's own two tokens, by turn."""
CONTAINER_LIMITS = {"cpu": "100m", "memory": "100Mi"}
CONTAINER_REQUESTS = {"cpu": "10m", "memory": "10Mi"}
"""Defaults of a container in istio-system, where the project's are for an application."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KubeconfigAccessArgs:
    """Access by a kubeconfig that somebody else made."""

    kubeconfig: Input[str] = field(repr=False)
    """The whole text, inline credentials and all; a secret."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectArgs:
    """A Rancher project; its quantities by the names that pulumi-rancher2 has for them, such as `limits_cpu`."""

    name: str
    description: str
    container_limit: Mapping[str, str]
    """Defaults of a container that names none: limits and requests."""
    namespace_quota: Mapping[str, str]
    """Sum of limits in each namespace."""
    project_quota: Mapping[str, str]
    """Sum of limits in all namespaces."""


class Peers(Enum):
    """By whose token the peers read the cluster, where they have no user of their own."""

    NO_TOKEN = auto()
    """Rancher gives them none."""
    PROGRAMS_USER = auto()
    """The program's own user: whoever has the token may do what he may."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PeersUserArgs:
    """A user of Rancher for the peers of one cluster, who may read there what their istiod needs, and no more."""

    username: str
    """One on the whole server."""
    rights: ReaderRights
    """What the user may read in the cluster; `IstioInstall` of the peers must get the same."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RancherAccessArgs:
    """Access through Rancher's proxy by tokens that this component makes."""

    url: str
    """The Rancher server; with a path, where a proxy serves it below one."""
    ca_certs: str | None
    """PEM of the CA behind `url`; `None` means the machine's own trust store."""
    cluster_id: str
    """Rancher's id, such as `c-f7r9g`."""
    token_ttl_hours: int
    token_turn: int
    """The next number takes the program's token that was made for it, and makes the one after it and the peers'."""
    token_expiry: str
    """Until when a token is good at least that is made in this turn."""
    earlier_token_expiry: str
    """Until when one is that was made in the turn before."""
    project: ProjectArgs
    """Of istio-system."""
    app_project: ProjectArgs
    """Of the application's namespace."""
    peers: PeersUserArgs | Peers
    provider: rancher2.Provider


@dataclass(frozen=True, kw_only=True, eq=False)
class RancherClusterArgs:
    """One cluster and how to reach it."""

    cluster_name: str
    network: str
    access: KubeconfigAccessArgs | RancherAccessArgs
    namespace_node_selector: str | None = None
    adopts_istio_namespace: bool = False
    """Whether istio-system may be there already, as an Istio operator leaves it."""


class RancherCluster(pulumi.ComponentResource):
    """A cluster, reached and prepared: provider, project, namespaces."""

    provider: k8s.Provider
    crd_provider: k8s.Provider
    """
    Takes over what is there, for Istio's chart `base` alone: charts keep their CRDs when they go, so the next `up`
    finds those of the last. The chart's ValidatingWebhookConfiguration `istiod-default-validator` is taken over, too.
    Without charts it is istio-system that may be there already.
    """
    istio_namespace: k8s.core.v1.Namespace
    app_namespace: k8s.core.v1.Namespace
    limit_range: k8s.core.v1.LimitRange
    """A pod that starts before it exists is judged without it."""
    peer_token: Output[str] | None
    """The Rancher token for the peers' remote secrets, secret; `None` if there is none."""
    token_expiry: Mapping[str, str]
    """Until when the Rancher tokens are good at least, by the name to export it under; empty without Rancher."""

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
            self.token_expiry = {"providerTokenExpiry": access.earlier_token_expiry}
            if access.peers is not Peers.NO_TOKEN:
                self.peer_token = self._peer_token(name, access)
                self.token_expiry = {**self.token_expiry, "peersTokenExpiry": access.token_expiry}
            annotations = {
                **self._project(f"{name}-project", access, access.project),
                # Rancher holds every LimitRange with its label to this; without it, to the project's values.
                names.RANCHER_CONTAINER_LIMIT: _compact(
                    {
                        "requestsCpu": CONTAINER_REQUESTS["cpu"],
                        "requestsMemory": CONTAINER_REQUESTS["memory"],
                        "limitsCpu": CONTAINER_LIMITS["cpu"],
                        "limitsMemory": CONTAINER_LIMITS["memory"],
                    }
                ),
            }
            app_annotations = self._project(f"{name}-app-project", access, access.app_project)
            # Rancher knows its own by it, and removes one from a namespace that has no project.
            limit_labels = {names.RANCHER_DEFAULT_QUOTA_LABEL: "true"}
        else:
            kubeconfig = access.kubeconfig
        if args.namespace_node_selector is not None:
            annotations[names.NODE_SELECTOR_ANNOTATION] = args.namespace_node_selector

        self.provider = self._make_provider(f"{name}-kubernetes", args, kubeconfig, adopts=False)
        self.crd_provider = self._make_provider(f"{name}-kubernetes-crds", args, kubeconfig, adopts=True)
        child = ResourceOptions(parent=self, provider=self.provider)
        self.istio_namespace = k8s.core.v1.Namespace(
            f"{name}-istio-system",
            metadata={
                "name": names.ISTIO_NAMESPACE,
                "labels": {names.NETWORK_LABEL: args.network},
                "annotations": annotations,
            },
            opts=ResourceOptions(
                parent=self, provider=self.crd_provider if args.adopts_istio_namespace else self.provider
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

    def _make_provider(
        self, name: str, args: RancherClusterArgs, kubeconfig: Input[str], *, adopts: bool
    ) -> k8s.Provider:
        return k8s.Provider(
            name,
            kubeconfig=kubeconfig,
            # Without it, a kubeconfig that is unknown at preview or has a new token shows every resource as replaced.
            cluster_identifier=args.cluster_name,
            # Otherwise new data replaces a Secret, and cacerts or a remote secret is gone for seconds.
            enable_secret_mutable=True,
            upsert_existing_objects=adopts,
            opts=ResourceOptions(parent=self),
        )

    def _own_token(self, name: str, access: RancherAccessArgs) -> Output[str]:
        # Two, used by turns, the next one made a turn before: with a token that is yet to be made a preview knows no
        # kubeconfig, and shows every object of every chart as deleted (docs/adr/0004).
        own, _ = (
            self._token(name, f"provider-{SLOTS[turn % len(SLOTS)]}", access, turn)
            for turn in (access.token_turn, access.token_turn + 1)
        )
        return own

    def _generation(self, name: str, use: str, turn: int) -> random.RandomId:
        return random.RandomId(
            f"{name}-{use}-token-generation",
            byte_length=4,
            keepers={"turn": str(turn)},
            opts=ResourceOptions(parent=self),
        )

    def _token(self, name: str, use: str, access: RancherAccessArgs, turn: int) -> Output[str]:
        generation = self._generation(name, use, turn)
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
            return self._token(name, "peers", access, access.token_turn)
        generation = self._generation(name, "peers", access.token_turn)
        child = ResourceOptions(parent=self, provider=access.provider)
        username = access.peers.username
        password = random.RandomPassword(
            f"{name}-peers-password", length=PASSWORD_LENGTH, special=False, opts=ResourceOptions(parent=self)
        )
        user = rancher2.User(
            f"{name}-peers-user", username=username, name=username, password=password.result, opts=child
        )
        # Without a global role nobody may log in, and a user makes his tokens himself.
        login = rancher2.GlobalRoleBinding(
            f"{name}-peers-login", global_role_id="user-base", user_id=user.id, opts=child
        )
        role = rancher2.RoleTemplate(
            f"{name}-peers-role",
            name=username,
            context="cluster",
            description=f"Reads in {name} what the istiod of its peers needs",
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

    def _project(self, name: str, access: RancherAccessArgs, args: ProjectArgs) -> dict[str, Input[str]]:
        project = rancher2.Project(
            name,
            name=args.name,
            cluster_id=access.cluster_id,
            description=args.description,
            container_resource_limit=rancher2.ProjectContainerResourceLimitArgs(**args.container_limit),
            resource_quota={
                "namespace_default_limit": {
                    "limits_cpu": args.namespace_quota["limits_cpu"],
                    "limits_memory": args.namespace_quota["limits_memory"],
                },
                "project_limit": {
                    "limits_cpu": args.project_quota["limits_cpu"],
                    "limits_memory": args.project_quota["limits_memory"],
                },
            },
            opts=ResourceOptions(parent=self, provider=access.provider),
        )
        quota = {"limitsCpu": args.namespace_quota["limits_cpu"], "limitsMemory": args.namespace_quota["limits_memory"]}
        return {names.RANCHER_PROJECT_ID: project.id, names.RANCHER_RESOURCE_QUOTA: _compact({"limit": quota})}


def _describe_token(name: str, use: str, generation: random.RandomId) -> Output[str]:
    return Output.concat("mcsps ", use, " of ", name, ", ", generation.hex)


def _compact(value: Mapping[str, object]) -> str:
    # To the letter, order of keys included, as Rancher writes it: another text would be changed back and forth.
    return json.dumps(value, separators=(",", ":"))


def _proxy_kubeconfig(name: str, access: RancherAccessArgs, token: str) -> str:
    server = kubeconfigs.rancher_server(access.url, access.cluster_id)
    return kubeconfigs.render_token_kubeconfig(name=name, server=server, ca_pem=access.ca_certs, token=token)
