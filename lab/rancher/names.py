"""Rancher's names: annotations, labels, and generated ids. It contains nothing of the lab."""

import secrets

PROJECT_ID = "field.cattle.io/projectId"
"""The project of a namespace: the annotation is `<cluster>:<project>`, the label only `<project>`."""
RESOURCE_QUOTA = "field.cattle.io/resourceQuota"
QUOTA_PROJECT = "field.cattle.io/resourceQuotaProjectId"
"""The project whose usage last included the namespace."""
CONTAINER_LIMIT = "field.cattle.io/containerDefaultResourceLimit"
DESCRIPTION = "field.cattle.io/description"
CREATOR_ID = "field.cattle.io/creatorId"
CREATOR = "cattle.io/creator"
NORMAN = "norman"
"""The creator that Rancher's v3 API writes into its objects: the name of its framework."""
STATUS = "cattle.io/status"
NAMESPACE_AUTH = "lifecycle.cattle.io/create.namespace-auth"
DEFAULT_QUOTA = "resourcequota.management.cattle.io/default-resource-quota"
"""The label of the ResourceQuota and LimitRange that Rancher manages, no matter which client created them."""
DEFAULT_PROJECT = "authz.management.cattle.io/default-project"
SYSTEM_PROJECT = "authz.management.cattle.io/system-project"
CREATOR_ROLES = "authz.management.cattle.io/creator-role-bindings"
BINDING_OWNER = "authz.cluster.cattle.io/rtb-owner-updated"
TOKEN_USER = "authn.management.cattle.io/token-userId"  # noqa: S105 - the name of a label
TOKEN_KIND = "authn.management.cattle.io/kind"  # noqa: S105 - the name of a label

SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "cattle-system", "cattle-impersonation-system")
"""The namespaces on Rancher's list of system namespaces that a cluster of the lab can have."""

# Kubernetes' alphabet for generated names, which has no vowels, so that no words result.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_KEY_LENGTH = 54


def generate(prefix: str) -> str:
    """Return `prefix` with five random characters, as Kubernetes generates for `generateName`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def generate_key() -> str:
    """Return a new token key with Rancher's length and alphabet; the result is secret."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))
