"""Resources as rules see them: plain data, with what Kubernetes objects have in common."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pulumi_policy import PolicyProviderResource, PolicyResource, ResourceValidationArgs

from policies.lib.values import UNKNOWN, Place, Unknown, items, look, plain, walk

STACK = "pulumi:pulumi:Stack"
KUBERNETES_PROVIDER = "pulumi:providers:kubernetes"
CHARTS = re.compile(r"kubernetes:helm\.sh/v[34]:(Chart|Release)")
"""Helm charts. An engine shows a Release with its inputs, and a Chart as the objects that it renders."""
OWN_COMPONENTS = "mcsps:"
"""The prefix of the types of this program's components: what is below them is this mesh."""
COMPONENTS = re.compile(r"kubernetes:(helm\.sh/v[34]:Chart|yaml(/v2)?:Config(File|Group)|kustomize(/v2)?:Directory)")
"""Components that have no provider of their own; their objects have one."""
# A version and, for a plugin from elsewhere, its URL follow; an author's own name is not of this form.
_DEFAULT_PROVIDER = re.compile(r"default(_v?\d+_\d+_\d+\w*|_(https?|git\w*)_\w*)?", re.ASCII)
_ISTIO_OBJECT = re.compile(r"kubernetes:\w+\.istio\.io/")
_POD_LISTS = ("initContainers", "containers", "ephemeralContainers", "volumes")


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The provider of a resource."""

    name: str
    inputs: Mapping[str, Any]

    @property
    def is_default(self) -> bool:
        """Whether the engine created it implicitly, as in `default_4_34_2`."""
        return _DEFAULT_PROVIDER.fullmatch(self.name) is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """One resource. A resource policy sees its inputs, a stack policy its outputs."""

    type: str
    name: str
    urn: str
    raw: Mapping[str, Any]
    """The properties as the SDK gives them; access to an unknown value raises."""
    protect: bool
    provider: Provider | None
    dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The URNs on which each property depends; a resource policy does not see them."""

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """The properties as plain data. Copied on first use: most rules decide by the type, and CRDs are large."""
        return dict(plain(self.raw))

    @property
    def is_of_mesh(self) -> bool:
        """Whether it is one of this program's components, or below one: other teams' resources are not."""
        parents = self.urn.split("::")[2:3]
        return any(type_.startswith(OWN_COMPONENTS) for chain in parents for type_ in chain.split("$"))

    def is_object(self, *kinds: str) -> bool:
        """Whether it is a Kubernetes object of one of these kinds, such as `core/ConfigMap`, in any version."""
        found = re.fullmatch(r"kubernetes:(?P<group>[\w.]+)/\w+:(?P<kind>\w+?)(Patch)?", self.type)
        return found is not None and f"{found['group']}/{found['kind']}" in kinds

    @property
    def is_istio_object(self) -> bool:
        """Whether it is an object of an Istio kind."""
        return _ISTIO_OBJECT.match(self.type) is not None

    @property
    def is_chart(self) -> bool:
        """Whether it is a Helm chart, installed or rendered."""
        return CHARTS.fullmatch(self.type) is not None

    @property
    def cluster(self) -> str | None:
        """The cluster of an object: its provider's `clusterIdentifier`; None if that is not set or unknown."""
        identifier = look(self.provider.inputs, "clusterIdentifier") if self.provider else None
        return identifier if isinstance(identifier, str) else None

    @property
    def object_name(self) -> str | Unknown:
        """The physical name; the logical name if no physical name is set."""
        return self._metadata("name", otherwise=self.name)

    @property
    def namespace(self) -> str | Unknown:
        """The namespace; `default` if none is set."""
        return self._metadata("namespace", otherwise="default")

    def _metadata(self, key: str, *, otherwise: str) -> str | Unknown:
        found = look(self.properties, "metadata", key)
        if found is UNKNOWN:
            return UNKNOWN
        return found if isinstance(found, str) and found else otherwise

    def __str__(self) -> str:
        """Name the resource for a message, such as `VirtualService sample/helloworld of cluster east`."""
        kind = self.type.rpartition(":")[2]
        if not self.type.startswith("kubernetes:") or self.is_chart:
            return f"{kind} {self.name}"
        name = self.name if isinstance(self.object_name, Unknown) else self.object_name
        namespace = look(self.properties, "metadata", "namespace")
        place = f"{namespace}/" if isinstance(namespace, str) else ""
        return f"{kind} {place}{name}" + (f" of cluster {self.cluster}" if self.cluster else "")

    def pod_lists(self) -> Iterator[tuple[Place, Sequence[object]]]:
        """The lists of containers and of volumes of its pods, with their places."""
        for place, value in walk(look(self.properties, "spec"), ("spec",)):
            if place[-1] in _POD_LISTS:
                yield place, items(value)

    def images(self) -> list[str]:
        """The images of its pods, volumes included, without the `auto` of gateways, which the injector replaces."""
        parts = [part for _, parts in self.pod_lists() for part in parts]
        found = [look(part, *path) for part in parts for path in (("image",), ("image", "reference"))]
        return [image for image in found if isinstance(image, str) and image not in ("", "auto")]


def from_args(args: ResourceValidationArgs | PolicyResource) -> Resource:
    """Convert a resource from the SDK's type."""
    return Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        raw=args.props,
        protect=args.opts.protect,
        provider=_provider(args.provider),
        dependencies=_dependencies(args),
    )


def _dependencies(args: ResourceValidationArgs | PolicyResource) -> Mapping[str, frozenset[str]]:
    if not isinstance(args, PolicyResource):
        return {}
    return {name: frozenset(found.urn for found in urns) for name, urns in args.property_dependencies.items()}


def _provider(found: PolicyProviderResource | None) -> Provider | None:
    return Provider(name=found.name, inputs=plain(found.props)) if found else None
