"""
The types of pulumi-tls, by `cryptography`, with the same inputs, outputs and extensions.

As in that provider, `maxPathLength` 0 is ignored (Go's zero value), a CA always has a subject key id, and the authority
key id is the signer's subject key id.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from errors import UserError
from lab.standin.providers.local import LocalType
from lab.standin.providers.x509 import (
    SigningKey,
    alternative_names,
    authority_of,
    distinguished_name,
    find_extension,
    hash_for,
    key_algorithm,
    load_key,
    private_pem,
    usage_extensions,
)
from recorder.registrations import Outcome
from recorder.values import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from recorder.values import Properties

_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {"P256": ec.SECP256R1(), "P384": ec.SECP384R1()}
_REQUESTED: Final = frozenset({"dnsNames", "ipAddresses", "privateKeyPem", "subject", "uris"})
_ISSUED: Final = frozenset(
    {
        "allowedUses",
        "earlyRenewalHours",
        "isCaCertificate",
        "maxPathLength",
        "setSubjectKeyId",
        "validityPeriodHours",
    }
)


def _private_key(inputs: Properties) -> Outcome:
    algorithm, curve = inputs["algorithm"], inputs.get("ecdsaCurve", "P224")
    if algorithm != "ECDSA" or curve not in _CURVES:
        raise UserError(f"a {algorithm} key on curve {curve} is not supported", "Use ECDSA with P256 or P384")
    key = ec.generate_private_key(_CURVES[curve])
    public = key.public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    openssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    formats = serialization.PrivateFormat
    return Outcome(
        id=_digest(der),
        outputs={
            "algorithm": algorithm,
            "ecdsaCurve": curve,
            "rsaBits": 2048,
            "privateKeyPem": Secret(private_pem(key, formats.TraditionalOpenSSL)),
            "privateKeyPemPkcs8": Secret(private_pem(key, formats.PKCS8)),
            "privateKeyOpenssh": Secret(private_pem(key, formats.OpenSSH)),
            "publicKeyPem": public.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ).decode(),
            "publicKeyOpenssh": f"{openssh}\n",
        },
    )


def _cert_request(inputs: Properties) -> Outcome:
    key = load_key(inputs["privateKeyPem"])
    builder = x509.CertificateSigningRequestBuilder().subject_name(distinguished_name(inputs.get("subject")))
    if names := alternative_names(inputs):
        builder = builder.add_extension(names, critical=False)
    request = builder.sign(key, hash_for(key))
    return Outcome(
        id=_digest(request.public_bytes(serialization.Encoding.DER)),
        outputs={
            **_marked(inputs, "privateKeyPem"),
            "keyAlgorithm": key_algorithm(key),
            "certRequestPem": request.public_bytes(serialization.Encoding.PEM).decode(),
        },
    )


def _self_signed_cert(inputs: Properties) -> Outcome:
    key = load_key(inputs["privateKeyPem"])
    subject = distinguished_name(inputs.get("subject"))
    authority = (
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        if inputs.get("setAuthorityKeyId")
        else None
    )
    certificate = _issue(inputs, subject, subject, key.public_key(), key, alternative_names(inputs), authority)
    return Outcome(
        id=str(certificate.serial_number),
        outputs={
            "setAuthorityKeyId": False,
            **_marked(inputs, "privateKeyPem"),
            "keyAlgorithm": key_algorithm(key),
            **_certificate_outputs(inputs, certificate),
        },
    )


def _locally_signed_cert(inputs: Properties) -> Outcome:
    key = load_key(inputs["caPrivateKeyPem"])
    try:
        ca = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
        request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    except ValueError:
        raise UserError("the CA's certificate or the certificate request is not valid PEM") from None
    certificate = _issue(
        inputs,
        request.subject,
        ca.subject,
        request.public_key(),
        key,
        find_extension(request.extensions, x509.SubjectAlternativeName),
        authority_of(ca),
    )
    return Outcome(
        id=str(certificate.serial_number),
        outputs={
            **_marked(inputs, "caPrivateKeyPem"),
            "caKeyAlgorithm": key_algorithm(key),
            **_certificate_outputs(inputs, certificate),
        },
    )


def _issue(  # noqa: PLR0913, PLR0917 - the parts of a certificate
    inputs: Properties,
    subject: x509.Name,
    issuer: x509.Name,
    public_key: CertificatePublicKeyTypes,
    key: SigningKey,
    names: x509.SubjectAlternativeName | None,
    authority: x509.AuthorityKeyIdentifier | None,
) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    is_ca = inputs.get("isCaCertificate", False)
    path_length = inputs.get("maxPathLength", -1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=inputs["validityPeriodHours"]))
        .add_extension(
            x509.BasicConstraints(ca=is_ca, path_length=path_length if is_ca and path_length > 0 else None),
            critical=True,
        )
    )
    for usage, critical in usage_extensions(inputs["allowedUses"]):
        builder = builder.add_extension(usage, critical=critical)
    if is_ca or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    if authority is not None:
        builder = builder.add_extension(authority, critical=False)
    if names is not None:
        builder = builder.add_extension(names, critical=not list(subject))
    return builder.sign(key, hash_for(key))


def _certificate_outputs(inputs: Properties, certificate: x509.Certificate) -> Properties:
    return {
        "earlyRenewalHours": inputs.get("earlyRenewalHours", 0),
        "isCaCertificate": inputs.get("isCaCertificate", False),
        "setSubjectKeyId": inputs.get("setSubjectKeyId", False),
        "certPem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "readyForRenewal": False,
        "validityStartTime": _time(certificate.not_valid_before_utc),
        "validityEndTime": _time(certificate.not_valid_after_utc),
    }


def _is_due(outputs: Properties) -> bool:
    end = datetime.fromisoformat(outputs["validityEndTime"])
    return datetime.now(UTC) >= end - timedelta(hours=outputs["earlyRenewalHours"])


def _marked(inputs: Properties, secret: str) -> Properties:
    return {**inputs, secret: Secret(inputs[secret])}


def _digest(der: bytes) -> str:
    return hashlib.sha1(der, usedforsecurity=False).hexdigest()


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


TYPES: Final = {
    "tls:index/privateKey:PrivateKey": LocalType(make=_private_key, inputs=frozenset({"algorithm", "ecdsaCurve"})),
    "tls:index/certRequest:CertRequest": LocalType(make=_cert_request, inputs=_REQUESTED),
    "tls:index/selfSignedCert:SelfSignedCert": LocalType(
        make=_self_signed_cert,
        inputs=_REQUESTED | _ISSUED | {"setAuthorityKeyId"},
        in_place=frozenset({"earlyRenewalHours"}),
        is_due=_is_due,
    ),
    "tls:index/locallySignedCert:LocallySignedCert": LocalType(
        make=_locally_signed_cert,
        inputs=_ISSUED | {"caCertPem", "caPrivateKeyPem", "certRequestPem"},
        in_place=frozenset({"earlyRenewalHours"}),
        is_due=_is_due,
    ),
}
