"""Which certificate is the root CA."""

from ._resources import Resource

SELF_SIGNED_CERT = "tls:index/selfSignedCert:SelfSignedCert"


def is_root_ca(resource: Resource) -> bool:
    """Whether a resource is a CA that signed itself."""
    return resource.type == SELF_SIGNED_CERT and resource.properties.get("isCaCertificate") is True
