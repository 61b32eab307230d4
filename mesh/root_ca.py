"""Checks of a provided root CA. The errors' messages continue a sentence about the value."""

import base64
import re
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from mesh import pem

CURVES = ("secp256r1", "secp384r1", "secp521r1")
"""P-256, P-384 and P-521: the curves that both Go's x509 and Envoy use."""
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192
"""The RSA keys that Go accepts."""
_CRITICAL = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.CertificatePolicies)
"""The critical extensions of a CA that Go processes and that restrict nothing of a mesh."""
_EXPLICIT_CURVE, _RSA_PSS = bytes.fromhex("06072a8648ce3d0101"), bytes.fromhex("06092a864886f70d01010a")
"""Object identifiers in a key whose curve is spelled out, or that is for RSASSA-PSS alone."""
_KEY_FORM = (
    "has a key in a form that istiod cannot read. Provide one with a named curve and an uncompressed point, or with "
    "the algorithm rsaEncryption"
)
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
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension):
        message = (
            "is not exactly one PEM certificate. Set the text and not the path of the certificate, without key or "
            "bundle: `openssl x509 -in root.pem` prints it"
        )
        raise ValueError(message) from None
    if not _may_sign_cas(extensions):
        message = (
            "is not a CA that can sign intermediates. Provide one whose basicConstraints have CA:TRUE and a pathlen, "
            "if any, of 1 or more, whose keyUsage, if any, has keyCertSign, and whose extendedKeyUsage, if any, has "
            "serverAuth and clientAuth"
        )
        raise ValueError(message)
    unknown = [it.oid.dotted_string for it in extensions if it.critical and not isinstance(it.value, _CRITICAL)]
    if unknown:
        message = (
            f"has the critical extension {unknown[0]}, with which istiod refuses it. Provide a root whose critical "
            f"extensions are basicConstraints, keyUsage, extendedKeyUsage and certificatePolicies at most"
        )
        raise ValueError(message)
    _check_public_key(certificate)
    _check_signature(certificate)
    return certificate


def _may_sign_cas(extensions: x509.Extensions) -> bool:
    values = {type(extension.value): extension.value for extension in extensions}
    constraints, usage = values.get(x509.BasicConstraints), values.get(x509.KeyUsage)
    purposes = values.get(x509.ExtendedKeyUsage)
    return (
        isinstance(constraints, x509.BasicConstraints)
        and constraints.ca
        and constraints.path_length != 0
        and (not isinstance(usage, x509.KeyUsage) or usage.key_cert_sign)
        and (not isinstance(purposes, x509.ExtendedKeyUsage) or _has_both_sides(purposes))
    )


def _has_both_sides(purposes: x509.ExtendedKeyUsage) -> bool:
    given = set(purposes)
    return ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in given or given >= {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }


def _check_public_key(certificate: x509.Certificate) -> None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey):
        kind, is_usable = f"an ECDSA key on the curve {key.curve.name}", key.curve.name in CURVES
    elif isinstance(key, rsa.RSAPublicKey):
        kind, is_usable = f"an RSA key of {key.key_size} bits", RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX
    else:
        kind, is_usable = "a key of another kind", False
    if key is None or not is_usable:
        message = (
            f"has {kind}, which istiod cannot use. Provide a root with an ECDSA key on P-256, P-384 or P-521, or with "
            f"an RSA key of {RSA_BITS_MIN} to {RSA_BITS_MAX} bits"
        )
        raise ValueError(message)
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) not in certificate.tbs_certificate_bytes:
        raise ValueError(_KEY_FORM)


def _check_signature(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    if isinstance(algorithm, hashes.SHA1 | hashes.MD5):
        message = (
            f"is signed with {algorithm.name.upper()}, which istiod refuses. Provide a root that is signed with "
            f"SHA-256 or stronger"
        )
        raise ValueError(message)  # noqa: TRY004 - the value is wrong, not its type
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        message = "is not self-signed, so it is not a root. Provide the last certificate of its chain"
        raise ValueError(message) from None


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


def outlived(certificate: x509.Certificate, now: datetime, hours: int) -> str | None:
    """A warning if the root ends before certificates that are created now and are valid for `hours`, else `None`."""
    last = certificate.not_valid_after_utc
    if last - now >= timedelta(hours=hours):
        return None
    return (
        f"ends on {last:%Y-%m-%d %H:%M} UTC, before intermediates that are created now; all certificates of the mesh "
        f"end with it. Prepare the change to another root"
    )


def check_key_fits(certificate: x509.Certificate, key_pem: str) -> None:
    """
    Check that `key_pem` is the private key of `certificate`.

    Raises:
        ValueError: It is another key, or not exactly one unencrypted PEM key, or in a form that Go does not read. The
            message never quotes the key.
    """
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    # The signer reads the first block, which may be the curve's parameters.
    if key is None or not _PRIVATE_KEY.fullmatch(key_pem):
        message = "is not exactly one unencrypted PEM private key; `openssl pkey -in key.pem` prints one"
        raise ValueError(message)
    der = base64.b64decode("".join(key_pem.split("-----")[2].split()))
    if _EXPLICIT_CURVE in der or _RSA_PSS in der:
        message = f"{_KEY_FORM}; `openssl ec -param_enc named_curve -in key.pem` names the curve"
        raise ValueError(message)
    if key.public_key() != certificate.public_key():
        message = "is not the key of the root certificate"
        raise ValueError(message)


def expiry(certificate: x509.Certificate) -> str:
    """The expiry, RFC 3339 in UTC, as pulumi-tls writes it."""
    return certificate.not_valid_after_utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
