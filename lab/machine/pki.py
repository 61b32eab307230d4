"""
Keys and certificates of one cluster, signed by that cluster's own CA.

Each cluster has its own CA, as real clusters do, so that no other cluster accepts its credentials. Keys are generated
once. A later `up` replaces a key only if its certificate expires soon or is not signed by the cluster's CA.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from errors import UserError
from lab.machine import files
from lab.spec import CLUSTER_DOMAIN, KUBERNETES_ADDRESS, ClusterSpec

VALIDITY = timedelta(days=365)
CA_VALIDITY = 10 * VALIDITY
RENEWAL = timedelta(days=30)
"""How long before its expiry a certificate is renewed."""
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Subject:
    """The subject of a certificate: a client's user and groups, or a server's names and addresses."""

    name: str
    """Stem of the two files, `<name>.crt` and `<name>.key`."""
    user: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    addresses: tuple[IPv4Address, ...] = ()

    @property
    def is_server(self) -> bool:
        """Whether the certificate authenticates a server; else a client."""
        return bool(self.hosts or self.addresses)


def subjects(spec: ClusterSpec) -> tuple[Subject, ...]:
    """Return the subject of every certificate of a cluster: pure."""
    service = "kubernetes.default.svc"
    return (
        Subject(
            "apiserver",
            "kube-apiserver",
            hosts=("kubernetes", "kubernetes.default", service, f"{service}.{CLUSTER_DOMAIN}"),
            addresses=(spec.address, KUBERNETES_ADDRESS, IPv4Address("127.0.0.1")),
        ),
        Subject("kubelet-server", spec.name, hosts=(spec.name,), addresses=(spec.address,)),
        Subject("kubelet-client", "kube-apiserver-kubelet-client"),
        Subject("kubelet", f"system:node:{spec.name}", ("system:nodes",)),
        Subject("kube-controller-manager", "system:kube-controller-manager"),
        Subject("kube-scheduler", "system:kube-scheduler"),
        Subject("kube-proxy", "system:kube-proxy"),
        Subject("loadbalancer", "mcsps-lab:loadbalancer"),
        Subject("admin", "admin", ("system:masters",)),
    )


def ensure(spec: ClusterSpec) -> None:
    """Issue the keys and certificates that are missing or not usable in the cluster's pki folder."""
    _ensure_issued(spec.pki, f"mcsps-lab {spec.name}", subjects(spec))
    public = spec.pki / "service-account.pub"
    if not public.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        files.write(spec.pki / "service-account.key", _key_pem(key))
        files.write(
            public,
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        )


def ensure_server(folder: Path, authority: str, server: Subject) -> None:
    """Ensure that `folder` holds a CA named `authority`, and a usable key and certificate of a server."""
    _ensure_issued(folder, authority, (server,))


def issue(
    subject: Subject,
    public_key: ec.EllipticCurvePublicKey,
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
) -> x509.Certificate:
    """Return a certificate for `subject`, for either server or client authentication."""
    usage = ExtendedKeyUsageOID.SERVER_AUTH if subject.is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(_name(subject.user, subject.groups), ca.subject, public_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    if subject.is_server:
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in subject.hosts]
        names += [x509.IPAddress(address) for address in subject.addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _ensure_issued(folder: Path, authority: str, subjects: Sequence[Subject]) -> None:
    ca_key, ca = _ensure_ca(folder, authority)
    for subject in subjects:
        if not _is_usable(folder / f"{subject.name}.crt", ca):
            key = ec.generate_private_key(ec.SECP256R1())
            _save(folder, subject.name, key, issue(subject, key.public_key(), ca_key, ca))


def _is_usable(path: Path, ca: x509.Certificate) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, InvalidSignature):
        return False
    return datetime.now(UTC) < certificate.not_valid_after_utc - RENEWAL


def _ensure_ca(folder: Path, name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    certificate_path = folder / "ca.crt"
    if certificate_path.exists():
        key = load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise UserError(
                f"{folder / 'ca.key'} is no key of the lab",
                "Recreate the lab: python -m lab down, then python -m lab up",
            )
        return key, x509.load_pem_x509_certificate(certificate_path.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(name, ())
    certificate = (
        _builder(ca_name, ca_name, key.public_key(), CA_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _save(folder, "ca", key, certificate)
    return key, certificate


def _save(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    # Deleted first and written last: where a certificate exists, its key does too, even if `up` was killed.
    (folder / f"{name}.crt").unlink(missing_ok=True)
    files.write(folder / f"{name}.key", _key_pem(key))
    files.write(folder / f"{name}.crt", certificate.public_bytes(Encoding.PEM))


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(user: str, groups: Sequence[str]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, validity: timedelta = VALIDITY
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + validity)
    )


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
