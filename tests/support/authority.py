"""A root CA with an intermediate, and the certificates that istiod issues to a proxy with them."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ops.cluster.envoy import Certificates

_NOW = datetime.now(UTC)
_DAY = timedelta(days=1)


class Authority:
    """A root CA with a name."""

    def __init__(self, name: str) -> None:
        root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._below = f"{name}'s intermediate"
        self.root = _sign(name, root_key, name, root_key)
        self._intermediate = _sign(self._below, self._key, name, root_key)

    def certificates(self, *others: "Authority") -> Certificates:
        """Return a new certificate of this root, for a proxy that trusts this root and others."""
        leaf = _sign("workload", ec.generate_private_key(ec.SECP256R1()), self._below, self._key)
        return Certificates(chain=(leaf, self._intermediate), roots=(self.root, *(other.root for other in others)))


def _sign(subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey) -> str:
    builder = x509.CertificateBuilder(
        _name(issuer), _name(subject), key.public_key(), x509.random_serial_number(), _NOW - _DAY, _NOW + _DAY
    )
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
