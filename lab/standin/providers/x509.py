"""Converts the names, usages and keys of pulumi-tls to X.509."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recorder.values import Properties

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
HashAlgorithm = hashes.SHA256 | hashes.SHA384 | hashes.SHA512

# In Go's order.
_SUBJECT: Final = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "postalCode": NameOID.POSTAL_CODE,
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
_KEY_USAGES: Final = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED_KEY_USAGES: Final = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
}


def usage_extensions(allowed: Iterable[str]) -> list[tuple[x509.ExtensionType, bool]]:
    """Return the extensions for `allowedUses`, each with whether it is critical."""
    requested = list(allowed)
    if unknown := [use for use in requested if use not in {**_KEY_USAGES, **_EXTENDED_KEY_USAGES}]:
        raise UserError(f"allowedUses {', '.join(unknown)} is not supported")
    found: list[tuple[x509.ExtensionType, bool]] = []
    if any(use in _KEY_USAGES for use in requested):
        flags = {flag: use in requested for use, flag in _KEY_USAGES.items()}
        found.append((x509.KeyUsage(**flags), True))
    if extended := [_EXTENDED_KEY_USAGES[use] for use in requested if use in _EXTENDED_KEY_USAGES]:
        found.append((x509.ExtendedKeyUsage(extended), False))
    return found


def distinguished_name(subject: Properties | None) -> x509.Name:
    """Return a distinguished name with its parts in Go's order."""
    given = subject or {}
    if unknown := sorted(set(given) - set(_SUBJECT)):
        raise UserError(f"subject {', '.join(unknown)} is not supported")
    return x509.Name([x509.NameAttribute(oid, given[name]) for name, oid in _SUBJECT.items() if name in given])


def alternative_names(inputs: Properties) -> x509.SubjectAlternativeName | None:
    """Return the extension of DNS names, IP addresses and URIs; None without any."""
    names: list[x509.GeneralName] = [
        *(x509.DNSName(name) for name in inputs.get("dnsNames", [])),
        *(x509.IPAddress(ipaddress.ip_address(ip)) for ip in inputs.get("ipAddresses", [])),
        *(x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris", [])),
    ]
    return x509.SubjectAlternativeName(names) if names else None


def authority_of(ca: x509.Certificate) -> x509.AuthorityKeyIdentifier | None:
    """Return the authority key id of a signer; None if the signer has no subject key id."""
    found = find_extension(ca.extensions, x509.SubjectKeyIdentifier)
    if found is None:
        return None
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found)


def find_extension(extensions: x509.Extensions, kind: type[Any]) -> Any:  # noqa: ANN401 - kind's own
    """Return the value of an extension; None if it is missing."""
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def load_key(pem: str) -> SigningKey:
    """Parse a private key; errors never quote it."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        # The parser's text may quote the key.
        raise UserError("a private key is not valid PEM") from None
    if not isinstance(key, SigningKey):
        raise UserError(f"a private key of type {type(key).__name__} is not supported")
    return key


def hash_for(key: SigningKey) -> HashAlgorithm | None:
    """Return the hash that Go uses for a key."""
    match key:
        case ed25519.Ed25519PrivateKey():
            return None
        case ec.EllipticCurvePrivateKey() if key.key_size > 384:  # noqa: PLR2004 - a curve's name
            return hashes.SHA512()
        case ec.EllipticCurvePrivateKey() if key.key_size > 256:  # noqa: PLR2004 - a curve's name
            return hashes.SHA384()
        case _:
            return hashes.SHA256()


def key_algorithm(key: SigningKey) -> str:
    """Return pulumi-tls's name of a key's algorithm."""
    match key:
        case ec.EllipticCurvePrivateKey():
            return "ECDSA"
        case rsa.RSAPrivateKey():
            return "RSA"
        case _:
            return "ED25519"


def private_pem(key: SigningKey, form: serialization.PrivateFormat) -> str:
    """Return a private key as unencrypted PEM."""
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
