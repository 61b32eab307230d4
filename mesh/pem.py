"""Certificates as PEM text: read only where nothing else, such as a private key, stands beside them."""

import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_CERTIFICATES = re.compile(r"\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+")


def read_certificates(text: str) -> Sequence[x509.Certificate]:
    """
    Parse one certificate or more.

    Raises:
        ValueError: A certificate does not parse, or there is none, or there is anything besides. The message never
            quotes the text, which may be the key.
    """
    if _CERTIFICATES.fullmatch(text):
        try:
            return x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            pass
    message = "is no PEM of certificates alone"
    raise ValueError(message)


def write_certificate(certificate: x509.Certificate) -> str:
    """The certificate as PEM, and nothing that stood beside it."""
    return certificate.public_bytes(Encoding.PEM).decode()
