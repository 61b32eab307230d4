"""The rules, one a module. Imports are relative: Pulumi starts the folder above, and this package is then `rules`."""

from . import (
    allowed_sources,
    cluster_identifier,
    eastwest_source_ranges,
    explicit_provider,
    failover_outlier_detection,
    istio_version_floor,
    namespace_network_policies,
    no_cluster_admin,
    no_secrets_in_inputs,
    no_secrets_in_outputs,
    rancher_token_bounds,
    remote_secret_credential,
    remote_secret_reader,
    root_ca_protected,
    root_ca_validity,
    route_subsets,
    route_weights,
    routes_equal,
)

POLICIES = (
    explicit_provider.POLICY,
    cluster_identifier.POLICY,
    root_ca_protected.POLICY,
    root_ca_validity.POLICY,
    no_cluster_admin.POLICY,
    rancher_token_bounds.POLICY,
    remote_secret_reader.POLICY,
    remote_secret_credential.POLICY,
    route_weights.POLICY,
    routes_equal.POLICY,
    route_subsets.POLICY,
    failover_outlier_detection.POLICY,
    istio_version_floor.POLICY,
    allowed_sources.POLICY,
    eastwest_source_ranges.POLICY,
    namespace_network_policies.POLICY,
    no_secrets_in_inputs.POLICY,
    no_secrets_in_outputs.POLICY,
)
"""In the order in which they are told."""

__all__ = ["POLICIES"]
