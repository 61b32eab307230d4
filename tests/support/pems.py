"""Real keys and certificates, which tests generate."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)
END = NOW + 10 * YEAR
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def make_key() -> ec.EllipticCurvePrivateKey:
    """Return a key of the kind of MeshTrust's root."""
    return ec.generate_private_key(ec.SECP384R1())


def key_pem(key: Key, *, password: bytes | None = None) -> str:
    """Return a key as PEM, as `openssl` writes it."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()


def make_root(  # noqa: PLR0913 - one for each property that a test breaks
    key: Key,
    *,
    constraints: x509.BasicConstraints | None = x509.BasicConstraints(ca=True, path_length=1),  # noqa: B008 - frozen
    usage: x509.KeyUsage | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    issuer: Key | None = None,
    not_before: datetime = NOW - YEAR,
    not_after: datetime = END,
) -> str:
    """Return a certificate, by default a root CA that is valid for a mesh; an `issuer` signs it if given."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Brought Root CA")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if constraints is not None:
        builder = builder.add_extension(constraints, critical=True)
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(issuer or key, algorithm).public_bytes(serialization.Encoding.PEM).decode()


def issue(issuer_pem: str, issuer_key_pem: str, common_name: str, *, is_ca: bool) -> tuple[str, str]:
    """Return a certificate and its key that another CA signs, without a path length."""
    issuer = x509.load_pem_x509_certificate(issuer_pem.encode())
    issuer_key = serialization.load_pem_private_key(issuer_key_pem.encode(), password=None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = make_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(minutes=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA384())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), key_pem(key)


def secret_lines(pem: str) -> list[str]:
    """Return the unique lines of a PEM, without headers and the short last line."""
    lines = [line for line in pem.splitlines() if line and not line.startswith("-")]
    return lines[:-1]
