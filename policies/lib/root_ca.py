"""The root CA among the certificates of a stack."""

from policies.lib.resources import Resource

SELF_SIGNED_CERT = "tls:index/selfSignedCert:SelfSignedCert"


def is_root_ca(resource: Resource) -> bool:
    """Whether a resource is a self-signed CA certificate."""
    return resource.type == SELF_SIGNED_CERT and resource.properties.get("isCaCertificate") is True
