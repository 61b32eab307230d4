"""Checks on a root CA that the user brings, before anything is signed with it."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def read_root(certificate_pem: str, now: datetime) -> x509.Certificate:
    """
    Parse a root certificate and check that it can sign intermediates at `now`.

    Raises:
        ValueError: No certificate, no CA, not yet valid or expired, or a key kind that istiod cannot use.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    except ValueError:
        message = "is no PEM certificate"
        raise ValueError(message) from None
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        constraints = None
    if constraints is None or not constraints.ca or constraints.path_length == 0:
        message = (
            "is no CA that may sign intermediates: basicConstraints must say CA:TRUE, and pathlen, if any, 1 or more"
        )
        raise ValueError(message)
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        message = (
            f"is valid from {certificate.not_valid_before_utc:%Y-%m-%d} "
            f"to {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC and so not now"
        )
        raise ValueError(message)
    if not isinstance(certificate.public_key(), ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        message = "has a key that is neither ECDSA nor RSA: istiod can use no other"
        raise ValueError(message)  # noqa: TRY004 - the value is wrong, not its type
    return certificate


def check_key_fits(certificate: x509.Certificate, key_pem: str) -> None:
    """
    Check that `key_pem` is the private key of `certificate`.

    Raises:
        ValueError: It is not, or is no unencrypted PEM key. The message never quotes the key.
    """
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError):
        message = "is no unencrypted PEM private key"
        raise ValueError(message) from None
    if key.public_key() != certificate.public_key():
        message = "does not fit mcsps:trust.rootCertificate: its public half is another"
        raise ValueError(message)


def expiry(certificate: x509.Certificate) -> str:
    """The end of validity, RFC 3339 in UTC, as pulumi-tls writes it."""
    return certificate.not_valid_after_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
