"""A root CA that is not the mesh's, and an intermediate of it in the form that istiod needs."""

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mesh import names

_VALIDITY = timedelta(days=1)


@cache
def _root() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP384R1())
    subject = _subject("Foreign root CA")
    return _ca(subject, subject, key.public_key()).sign(key, hashes.SHA384()), key


def foreign_root_pem() -> str:
    """Return the root's certificate; each run of the tests has one root."""
    return _pem(_root()[0])


def foreign_cacerts() -> dict[str, str]:
    """Return the four entries of `cacerts` for a new intermediate of the foreign root."""
    root, root_key = _root()
    key = ec.generate_private_key(ec.SECP256R1())
    san = x509.SubjectAlternativeName([x509.DNSName(names.ISTIOD_HOST)])
    builder = _ca(_subject("Foreign intermediate CA"), root.subject, key.public_key())
    certificate = _pem(builder.add_extension(san, critical=False).sign(root_key, hashes.SHA384()))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    return {
        "ca-cert.pem": certificate,
        "ca-key.pem": private,
        "cert-chain.pem": certificate + foreign_root_pem(),
        "root-cert.pem": foreign_root_pem(),
    }


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _ca(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        data_encipherment=False,
        decipher_only=False,
        encipher_only=False,
        key_agreement=False,
        key_encipherment=False,
    )
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), now - _VALIDITY, now + _VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
