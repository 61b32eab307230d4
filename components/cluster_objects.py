"""What holds for every Kubernetes object of a cluster, whichever component registers it."""

from collections.abc import Mapping

import pulumi
from pulumi import (
    Input,
    ProviderResource,
    ResourceHook,
    ResourceHookArgs,
    ResourceHookBinding,
    ResourceHookOptions,
    ResourceOptions,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)

from mesh import field_owners


def object_options(cluster: str, identity: Input[str]) -> ResourceOptions:
    """
    The options of every object of a cluster.

    An object is created again when the identity of its cluster changes. It is deleted first, through the provider that
    already leads to the new cluster: there is nothing to delete there, and a later deletion by name would hit the new
    object. Before an update, a warning names the fields that it takes from other field managers.

    Args:
        cluster: The cluster's name, for the warnings.
        identity: What a cluster that was rebuilt under the same name does not keep.
    """
    takeover = ResourceHook(
        f"{cluster}-takeover",
        lambda args: _report_taken(cluster, args),
        ResourceHookOptions(on_dry_run=True, ignore_errors=True),
    )
    return ResourceOptions(
        replacement_trigger=identity,
        delete_before_replace=True,
        hooks=ResourceHookBinding(before_update=[takeover]),
    )


def with_options(options: Mapping[ProviderResource, ResourceOptions]) -> ResourceTransformation:
    """
    Give these options to all Kubernetes objects of a component.

    An object that sets `delete_before_replace` itself is left out: its name must change with the identity.

    Args:
        options: The options by provider. An object with another provider, or with that of its parent, has the first.
    """
    default = next(iter(options.values()))

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        is_object = isinstance(args.resource, pulumi.CustomResource) and args.type_.startswith("kubernetes:")
        if not is_object or args.opts.delete_before_replace is not None:
            return None
        own = options.get(args.opts.provider, default) if args.opts.provider else default
        return ResourceTransformationResult(args.props, ResourceOptions.merge(args.opts, own))

    return transform


def _report_taken(cluster: str, args: ResourceHookArgs) -> None:
    live, manifest = args.old_outputs or {}, args.new_inputs or {}
    taken = field_owners.taken(live, manifest, str(live.get("__fieldManager")))
    for manager, paths in taken.items():
        kind, metadata = live.get("kind"), live.get("metadata", {})
        place = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata.get("name")
        pulumi.log.warn(f"{kind} {place} of cluster {cluster}: takes {', '.join(paths)} from {manager}")
