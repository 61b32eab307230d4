"""
One directed link: istiod of `target` reads the endpoints of `source`.

Owns the reader's credential in the source cluster and the remote secret in the target. Does not own the clusters.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
from pulumi import Input, Output, Resource, ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from mesh import kubeconfigs, names, reader_rules
from mesh.reader_rules import ReaderRights


class Ca(Enum):
    """CA sources whose PEM is unknown at plan time."""

    CLUSTER = auto()
    """The source cluster's CA, which Kubernetes stores beside each service account token."""
    PUBLIC = auto()
    """A public CA, which the image of istiod trusts."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceAccountArgs:
    """The reader is a service account of the source cluster."""

    source_provider: k8s.Provider
    source_identity: Input[str]
    """What a rebuilt source does not keep; another value rotates the token."""
    token_generation: int
    """A higher number rotates the token; the old one is deleted after the remote secret has the new one."""
    rights: ReaderRights
    """What the reader can read in the source cluster; `IstioInstall` of the target must get the same value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RancherTokenArgs:
    """The reader is a Rancher token scoped to the source cluster."""

    token: Input[str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshLinkArgs:
    """The two clusters of a link, and the target's access to the source."""

    source: str
    """Name of the cluster that is read."""
    target: str
    """Name of the cluster whose istiod reads."""
    server: str
    """URL of the source's API server, as the target's istiod reaches it."""
    ca: str | Ca
    """The CA behind `server`: its PEM, or its source if the PEM is unknown at plan time."""
    credential: ServiceAccountArgs | RancherTokenArgs
    target_provider: k8s.Provider
    target_istio: Sequence[Resource]
    """What reads the remote secret, and exists before it."""
    is_read: bool = True
    """Whether the target has the remote secret; without it, its proxies send nothing to the source's endpoints."""


class MeshLink(pulumi.ComponentResource):
    """The remote secret of `source` in `target`, and the credential that it holds."""

    def __init__(self, name: str, args: MeshLinkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("mcsps:index:MeshLink", name, {"source": args.source, "target": args.target}, opts)
        ca_pem: Input[str] | None = args.ca if isinstance(args.ca, str) else None
        if isinstance(args.credential, ServiceAccountArgs):
            token, clusters_own_ca = self._service_account(name, args.target, args.credential)
            if args.ca is Ca.CLUSTER:
                ca_pem = clusters_own_ca
        else:
            token = Output.from_input(args.credential.token)
        kubeconfig: Output[str] = Output.all(token=token, ca_pem=ca_pem).apply(
            lambda known: kubeconfigs.render_token_kubeconfig(name=args.source, server=args.server, **known)
        )
        if args.is_read:
            self._remote_secret(name, args, Output.secret(kubeconfig))
        self.register_outputs({})

    def _remote_secret(self, name: str, args: MeshLinkArgs, kubeconfig: Output[str]) -> None:
        k8s.core.v1.Secret(
            f"{name}-remote-secret",
            metadata={
                "name": names.remote_secret(args.source),
                "namespace": names.ISTIO_NAMESPACE,
                "labels": {names.MULTICLUSTER_LABEL: "true", names.MANAGED_BY_LABEL: names.MANAGED_BY},
                "annotations": {names.CLUSTER_ANNOTATION: args.source},
            },
            string_data={args.source: kubeconfig},
            opts=ResourceOptions(parent=self, provider=args.target_provider, depends_on=args.target_istio),
        )

    def _service_account(self, name: str, target: str, args: ServiceAccountArgs) -> tuple[Output[str], Output[str]]:
        child = ResourceOptions(parent=self, provider=args.source_provider)
        labels = {names.MANAGED_BY_LABEL: names.MANAGED_BY}
        metadata: ObjectMetaArgsDict = {"name": names.reader(target), "labels": labels}
        account = k8s.core.v1.ServiceAccount(
            f"{name}-reader", metadata={"namespace": names.ISTIO_NAMESPACE, **metadata}, opts=child
        )
        role = k8s.rbac.v1.ClusterRole(
            f"{name}-reader-role",
            metadata=metadata,
            rules=[
                {"api_groups": [rule.api_group], "resources": rule.resources, "verbs": reader_rules.READ}
                for rule in args.rights.rules
            ],
            opts=child,
        )
        binding = k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-reader-binding",
            metadata=metadata,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role.metadata["name"]},
            subjects=[{"kind": "ServiceAccount", "name": account.metadata["name"], "namespace": names.ISTIO_NAMESPACE}],
            opts=child,
        )
        generation = random.RandomId(
            f"{name}-token-generation",
            byte_length=4,
            keepers={"generation": str(args.token_generation)},
            opts=ResourceOptions(parent=self, replacement_trigger=args.source_identity),
        )
        token = k8s.core.v1.Secret(
            f"{name}-token",
            type="kubernetes.io/service-account-token",
            metadata={
                # A new name for each generation, so the old token is valid until the remote secret has the new one.
                "name": Output.concat(names.reader(target), "-", generation.hex),
                "namespace": names.ISTIO_NAMESPACE,
                "labels": labels,
                "annotations": {"kubernetes.io/service-account.name": account.metadata["name"]},
            },
            # Istiod reads as soon as it has the token.
            opts=ResourceOptions.merge(child, ResourceOptions(depends_on=binding, delete_before_replace=False)),
        )
        return token.data.apply(_read_token), token.data.apply(_read_ca)


def _read_token(data: Mapping[str, str]) -> str:
    return base64.b64decode(data["token"]).decode()


def _read_ca(data: Mapping[str, str]) -> str:
    return base64.b64decode(data["ca.crt"]).decode()
