"""Recreates the objects of a cluster that was rebuilt under the same name."""

from collections.abc import Mapping

import pulumi
from pulumi import (
    Input,
    ProviderResource,
    ResourceOptions,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)


def recreated_with(identity: Input[str]) -> ResourceOptions:
    """
    The options of an object that is created again when the identity of its cluster changes.

    It is deleted first, through the provider that already leads to the new cluster: there is nothing to delete there,
    and a later deletion by name would hit the new object.
    """
    return ResourceOptions(replacement_trigger=identity, delete_before_replace=True)


def recreate_with(identities: Mapping[ProviderResource, Input[str]]) -> ResourceTransformation:
    """
    Give these options to all Kubernetes objects of a component.

    An object that sets `delete_before_replace` itself is left out: its name must change with the identity.

    Args:
        identities: The identity of each provider's cluster. An object with another provider, or with that of its
            parent, has the first one's.
    """
    default = next(iter(identities.values()))

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        is_object = isinstance(args.resource, pulumi.CustomResource) and args.type_.startswith("kubernetes:")
        if not is_object or args.opts.delete_before_replace is not None:
            return None
        identity = identities.get(args.opts.provider, default) if args.opts.provider else default
        return ResourceTransformationResult(args.props, ResourceOptions.merge(args.opts, recreated_with(identity)))

    return transform
