"""Checks on a root CA that the user brings, before anything is signed with it."""

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
        ValueError: Not exactly one certificate, no CA, no root, or a key kind that istiod cannot use; says what to
            bring instead, and never quotes the text.
    """
    try:
        (certificate,) = pem.read_certificates(text)
        extensions, key = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        message = (
            "is not one PEM certificate and nothing else; "
            "give the text, not its path, and neither key nor bundle: `openssl x509 -in root.pem` prints it"
        )
        raise ValueError(message) from None
    if not _may_sign_cas(extensions):
        message = (
            "is no CA that may sign intermediates; bring one whose basicConstraints say CA:TRUE, with a pathlen, "
            "if any, of 1 or more, and whose keyUsage, if any, has keyCertSign"
        )
        raise ValueError(message)
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        message = "has a key that istiod cannot use; bring a root whose key is ECDSA or RSA"
        raise ValueError(message)  # noqa: TRY004 - the value is wrong, not its type
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        message = "is not signed by itself and so no root; bring the last certificate of its chain"
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
    """Count the whole hours for which a root is valid, from its first moment on."""
    return (certificate.not_valid_after_utc - certificate.not_valid_before_utc) // timedelta(hours=1)


def check_validity(certificate: x509.Certificate, now: datetime) -> None:
    """
    Check that a root is valid at a moment.

    Raises:
        ValueError: It is expired or not yet valid.
    """
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now < last:
        message = f"is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M} UTC and so not now; bring one that is"
        raise ValueError(message)


def check_key_fits(certificate: x509.Certificate, key_pem: str) -> None:
    """
    Check that `key_pem` is the private key of `certificate`.

    Raises:
        ValueError: It is not, or is no unencrypted PEM key, or not that alone. The message never quotes the key.
    """
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    # The signer reads the first block, which may be the curve's parameters.
    if key is None or not _PRIVATE_KEY.fullmatch(key_pem):
        message = "is not one unencrypted PEM private key and nothing else: `openssl pkey -in key.pem` prints it"
        raise ValueError(message)
    if key.public_key() != certificate.public_key():
        message = "does not fit the root certificate: its public half is another"
        raise ValueError(message)


def expiry(certificate: x509.Certificate) -> str:
    """The end of validity, RFC 3339 in UTC, as pulumi-tls writes it."""
    return certificate.not_valid_after_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
