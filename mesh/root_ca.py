"""Checks of a provided root CA. The errors' messages continue a sentence about the value."""

import re
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mesh import pem

_PRIVATE_KEY = re.compile(r"\s*-----BEGIN ([A-Z ]*)PRIVATE KEY-----[A-Za-z0-9+/=\s]+-----END \1PRIVATE KEY-----\s*")


def read_root(text: str) -> x509.Certificate:
    """
    Parse a root certificate and check that it can sign intermediates.

    Raises:
        ValueError: The text is not exactly one certificate, or not of a root CA, or its key is of a kind that istiod
            cannot use. The message says what to provide, and never quotes the text.
    """
    try:
        (certificate,) = pem.read_certificates(text)
        extensions, key = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        message = (
            "is not exactly one PEM certificate. Set the text and not the path of the certificate, without key or "
            "bundle: `openssl x509 -in root.pem` prints it"
        )
        raise ValueError(message) from None
    if not _may_sign_cas(extensions):
        message = (
            "is not a CA that can sign intermediates. Provide one whose basicConstraints have CA:TRUE and a pathlen, "
            "if any, of 1 or more, and whose keyUsage, if any, has keyCertSign"
        )
        raise ValueError(message)
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        message = "has a key that istiod cannot use. Provide a root with an ECDSA or RSA key"
        raise ValueError(message)  # noqa: TRY004 - the value is wrong, not its type
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        message = "is not self-signed, so it is not a root. Provide the last certificate of its chain"
        raise ValueError(message) from None
    return certificate


def _may_sign_cas(extensions: x509.Extensions) -> bool:
    values = {type(extension.value): extension.value for extension in extensions}
    constraints, usage = values.get(x509.BasicConstraints), values.get(x509.KeyUsage)
    return (
        isinstance(constraints, x509.BasicConstraints)
        and constraints.ca
        and constraints.path_length != 0
        and (not isinstance(usage, x509.KeyUsage) or usage.key_cert_sign)
    )


def lifetime_hours(certificate: x509.Certificate) -> int:
    """The whole validity of a root, from its start to its expiry, in hours."""
    return (certificate.not_valid_after_utc - certificate.not_valid_before_utc) // timedelta(hours=1)


def check_validity(certificate: x509.Certificate, now: datetime) -> None:
    """
    Check that a root is valid at a moment.

    Raises:
        ValueError: It is expired or not yet valid.
    """
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now < last:
        message = (
            f"is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M} UTC, so it is not valid now. Provide one that is"
        )
        raise ValueError(message)


def check_key_fits(certificate: x509.Certificate, key_pem: str) -> None:
    """
    Check that `key_pem` is the private key of `certificate`.

    Raises:
        ValueError: It is another key, or not exactly one unencrypted PEM key. The message never quotes the key.
    """
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    # The signer reads the first block, which may be the curve's parameters.
    if key is None or not _PRIVATE_KEY.fullmatch(key_pem):
        message = "is not exactly one unencrypted PEM private key; `openssl pkey -in key.pem` prints one"
        raise ValueError(message)
    if key.public_key() != certificate.public_key():
        message = "is not the key of the root certificate"
        raise ValueError(message)


def expiry(certificate: x509.Certificate) -> str:
    """The expiry, RFC 3339 in UTC, as pulumi-tls writes it."""
    return certificate.not_valid_after_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
