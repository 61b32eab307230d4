"""Rancher's own words: annotations, labels, and ids as it generates them. No logic, and nothing of the lab."""

import secrets

PROJECT_ID = "field.cattle.io/projectId"
"""As an annotation `<cluster>:<project>`, as a label `<project>` alone."""
RESOURCE_QUOTA = "field.cattle.io/resourceQuota"
QUOTA_PROJECT = "field.cattle.io/resourceQuotaProjectId"
"""The project in whose use the namespace was last counted."""
CONTAINER_LIMIT = "field.cattle.io/containerDefaultResourceLimit"
DESCRIPTION = "field.cattle.io/description"
CREATOR_ID = "field.cattle.io/creatorId"
CREATOR = "cattle.io/creator"
NORMAN = "norman"
"""What Rancher's v3 API writes as the creator of all that it makes: the name of its framework."""
STATUS = "cattle.io/status"
NAMESPACE_AUTH = "lifecycle.cattle.io/create.namespace-auth"
DEFAULT_QUOTA = "resourcequota.management.cattle.io/default-resource-quota"
"""Marks the ResourceQuota and the LimitRange of a namespace that Rancher takes for its own, whoever made them."""
DEFAULT_PROJECT = "authz.management.cattle.io/default-project"
SYSTEM_PROJECT = "authz.management.cattle.io/system-project"
CREATOR_ROLES = "authz.management.cattle.io/creator-role-bindings"
BINDING_OWNER = "authz.cluster.cattle.io/rtb-owner-updated"
TOKEN_USER = "authn.management.cattle.io/token-userId"  # noqa: S105 - the name of a label
TOKEN_KIND = "authn.management.cattle.io/kind"  # noqa: S105 - the name of a label

SYSTEM_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "cattle-system", "cattle-impersonation-system")
"""Those of Rancher's list that a cluster of the lab can have."""

# Kubernetes' own alphabet for generated names: without vowels, so that no words come out.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_KEY_LENGTH = 54


def generate(prefix: str) -> str:
    """Return `prefix` with five random characters, as Kubernetes does for `generateName`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def generate_key() -> str:
    """Return a new token key, of the length and the alphabet of Rancher's; the result is secret."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_KEY_LENGTH))
