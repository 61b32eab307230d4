"""The root CA among the certificates of a stack."""

from policies.lib.resources import Resource

SELF_SIGNED_CERT = "tls:index/selfSignedCert:SelfSignedCert"


def is_root_ca(resource: Resource) -> bool:
    """Whether a resource is this mesh's self-signed CA certificate; other apps have their own, for their webhooks."""
    is_ca = resource.type == SELF_SIGNED_CERT and resource.properties.get("isCaCertificate") is True
    return is_ca and resource.is_of_mesh
