"""Certificates as PEM text; a text with anything else in it, such as a private key, is refused."""

import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_CERTIFICATES = re.compile(r"\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+")


def read_certificates(text: str) -> Sequence[x509.Certificate]:
    """
    Parse one or more certificates.

    Raises:
        ValueError: A certificate is invalid, or the text has none, or has anything else. The message continues a
            sentence about the text and never quotes it, since it may be a key.
    """
    if _CERTIFICATES.fullmatch(text):
        try:
            return x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            pass
    message = "is not a PEM with certificates only"
    raise ValueError(message)


def write_certificate(certificate: x509.Certificate) -> str:
    """Encode a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()
