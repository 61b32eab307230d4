"""
Certificates as PEM text; a text with another block, such as a private key, is refused.

RFC 7468 allows text outside of the blocks: bundles name their certificates there, and `openssl` prints what they hold.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def read_certificates(text: str) -> Sequence[x509.Certificate]:
    """
    Parse one or more certificates.

    Raises:
        ValueError: A certificate is invalid, or the text has none, or has another block. The message continues a
            sentence about the text and never quotes it, since it may be a key.
    """
    try:
        certificates = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        certificates = []
    if certificates and len(certificates) == text.count("-----BEGIN"):
        return certificates
    message = "is not a PEM with certificates only"
    raise ValueError(message)


def write_certificate(certificate: x509.Certificate) -> str:
    """Encode a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()
