"""Queries a cluster's API server for the rights of a link's reader in that cluster."""

from itertools import product

from kubernetes import client

from tests.support.components import ISTIOD_READS

NEEDED = tuple(
    (verb, group, resource)
    for verb, (group, resource) in product(
        ("get", "list", "watch"),
        sorted(ISTIOD_READS),
    )
)
REFUSED = (
    *product(("create", "update", "patch", "delete"), ("",), ("secrets", "services", "pods", "configmaps")),
    ("create", "", "pods/exec"),
    ("create", "", "serviceaccounts/token"),
    ("list", "", "serviceaccounts"),
    ("list", "apps", "deployments"),
    ("list", "rbac.authorization.k8s.io", "clusterroles"),
    ("patch", "networking.istio.io", "virtualservices"),
    ("create", "networking.istio.io", "workloadentries"),
)


def allows(api: client.ApiClient, verb: str, group: str, resource: str) -> bool:
    """Return whether a client's user may use a verb on `resource[/subresource]` in all namespaces."""
    kind, _, subresource = resource.partition("/")
    attributes = client.V1ResourceAttributes(verb=verb, group=group, resource=kind, subresource=subresource)
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    status = client.AuthorizationV1Api(api).create_self_subject_access_review(review).status
    return bool(status and status.allowed)
