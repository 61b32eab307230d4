"""What holds for every Kubernetes object of a cluster, whichever component registers it."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import (
    Input,
    Output,
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

# A report that fails must not stop the update that it reports.
_HOOK = ResourceHookOptions(on_dry_run=True, ignore_errors=True)
_FIELD_MANAGER = "__fieldManager"
_PULUMI = re.compile(r"pulumi-kubernetes-[0-9a-f]+")
"""Pulumi's field manager of one resource; each creation has another one."""
_IDENTIFYING = frozenset({"kind", "metadata", _FIELD_MANAGER})


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
        _HOOK,
    )
    return ResourceOptions(
        replacement_trigger=identity,
        delete_before_replace=True,
        hooks=ResourceHookBinding(before_update=[takeover]),
    )


def adopting_options(cluster: str, options: ResourceOptions) -> ResourceOptions:
    """
    The options of an object that may exist before the stack creates it.

    After the creation, a warning names the other field managers of the object.

    Args:
        cluster: The cluster's name, for the warnings.
        options: The options of every object of the cluster.
    """
    adoption = ResourceHook(f"{cluster}-adoption", lambda args: _report_adopted(cluster, args), _HOOK)
    return ResourceOptions.merge(options, ResourceOptions(hooks=ResourceHookBinding(after_create=[adoption])))


def with_options(options: Mapping[ProviderResource, ResourceOptions]) -> ResourceTransformation:
    """
    Give these options to all Kubernetes objects of a component.

    An object that sets `delete_before_replace` itself has the hooks alone: its name must change with the identity.

    Args:
        options: The options by provider. An object with another provider, or with that of its parent, has the first.
    """
    default = next(iter(options.values()))

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        is_object = isinstance(args.resource, pulumi.CustomResource) and args.type_.startswith("kubernetes:")
        if not is_object:
            return None
        own = options.get(args.opts.provider, default) if args.opts.provider else default
        if args.opts.delete_before_replace is not None:
            own = ResourceOptions(hooks=own.hooks)
        return ResourceTransformationResult(args.props, ResourceOptions.merge(args.opts, own))

    return transform


async def _report_taken(cluster: str, args: ResourceHookArgs) -> None:
    known, manager = await _identify(args.old_outputs)
    if not field_owners.others(known, manager):
        return
    live, manifest = await _plain(args.old_outputs), await _plain(args.new_inputs)
    taken = field_owners.taken(live, manifest, manager)
    if taken:
        losses = "; ".join(f"{', '.join(paths)} from {loser}" for loser, paths in taken.items())
        pulumi.log.warn(f"{_describe(known)} of cluster {cluster}: takes {losses}")


async def _report_adopted(cluster: str, args: ResourceHookArgs) -> None:
    known, manager = await _identify(args.new_outputs)
    managers = dict.fromkeys(_PULUMI.sub("an earlier stack", each) for each in field_owners.others(known, manager))
    if managers:
        pulumi.log.warn(f"{_describe(known)} of cluster {cluster}: adopts an existing object of {', '.join(managers)}")


async def _identify(outputs: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], str]:
    """Return an object's kind and metadata, and the field manager in whose name the stack applies it."""
    # The SDK makes a task of every value inside: seconds for the schemas of all CRDs.
    few = await _plain({key: value for key, value in (outputs or {}).items() if key in _IDENTIFYING})
    return few, str(few.get(_FIELD_MANAGER))


async def _plain(properties: Mapping[str, Any] | None) -> Mapping[str, Any]:
    # Secret properties come as outputs, and two outputs are never equal. Only paths leave this module.
    return await Output.from_input(dict(properties or {})).future(with_unknowns=True) or {}


def _describe(live: Mapping[str, Any]) -> str:
    metadata = live.get("metadata", {})
    namespace = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{live.get('kind')} {namespace}{metadata.get('name')}"
