"""The checks of a root that the user provides."""

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from mesh import pem, root_ca
from tests.support import pems
from tests.support.leaks import find_leaks
from tests.support.recording import RecordingMonitor

KEY = pems.make_key()
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.mark.parametrize("path_length", [None, 1, 2])
def test_a_ca_that_may_sign_cas_is_taken(path_length: int | None) -> None:
    """The path length is unlimited, or at least 1 for the intermediates."""
    pem = pems.make_root(KEY, constraints=x509.BasicConstraints(ca=True, path_length=path_length))
    assert root_ca.read_root(pem).public_key() == KEY.public_key()


def test_an_rsa_root_is_taken() -> None:
    """The roots of many companies have RSA keys."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = pems.make_root(key)
    root_ca.check_key_fits(root_ca.read_root(pem), pems.key_pem(key))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "root.pem",
        pems.key_pem(KEY),
        pems.make_root(KEY) + pems.key_pem(KEY),
        pems.key_pem(KEY) + pems.make_root(KEY),
        pems.make_root(KEY) * 2,
        pems.make_root(KEY) + "-----BEGIN CERTIFICATE-----",
        pems.make_root(KEY).replace("MII", "XII", 1),
    ],
)
def test_what_is_not_one_certificate_alone_is_refused(text: str) -> None:
    """A private key beside the certificate is refused as well."""
    with pytest.raises(ValueError, match=r"^is not exactly one PEM certificate\. Set the text") as caught:
        root_ca.read_root(text)
    assert find_leaks(RecordingMonitor(preview=False), str(caught.value), secrets=pems.secret_lines(text)) == []


@pytest.mark.parametrize(
    "before", ["\n ", "\ufeff", "# Root of Acme\n", "Certificate:\n    Data:\n        Version: 3 (0x2)\n"]
)
def test_a_text_around_a_certificate_is_dropped(before: str) -> None:
    """YAML's block texts and `openssl x509 -text` add such text."""
    root = pems.make_root(KEY)
    assert pem.write_certificate(root_ca.read_root(f"{before}{root}\n\n")) == root


@pytest.mark.parametrize(
    "constraints",
    [None, x509.BasicConstraints(ca=False, path_length=None), x509.BasicConstraints(ca=True, path_length=0)],
)
def test_a_certificate_that_may_not_sign_cas_is_refused(constraints: x509.BasicConstraints | None) -> None:
    """Sidecars would not trust the certificates that its intermediates sign."""
    with pytest.raises(ValueError, match=r"is not a CA that can sign intermediates\. Provide one"):
        root_ca.read_root(pems.make_root(KEY, constraints=constraints))


def key_usage(**uses: bool) -> x509.KeyUsage:
    """Return a keyUsage with only these uses."""
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    flags: dict[str, Any] = {name: uses.get(name, False) for name in names}
    return x509.KeyUsage(**flags)


def test_a_usage_must_have_the_signing_of_certificates() -> None:
    """Verifiers enforce the usage of a CA."""
    root_ca.read_root(pems.make_root(KEY, usage=key_usage(key_cert_sign=True)))
    with pytest.raises(ValueError, match="whose keyUsage, if any, has keyCertSign"):
        root_ca.read_root(pems.make_root(KEY, usage=key_usage(digital_signature=True, crl_sign=True)))


def test_a_ca_that_another_signed_is_no_root() -> None:
    """Sidecars would look for its issuer."""
    with pytest.raises(ValueError, match=r"is not self-signed, so it is not a root\. Provide the last"):
        root_ca.read_root(pems.make_root(KEY, issuer=pems.make_key()))


@pytest.mark.parametrize(
    ("moment", "taken"),
    [
        (pems.NOW - pems.YEAR - SECOND, False),
        (pems.NOW - pems.YEAR, True),
        (pems.END - SECOND, True),
        (pems.END, False),
    ],
)
def test_a_root_is_taken_from_its_first_moment_to_its_last(*, moment: datetime, taken: bool) -> None:
    """Both limits are tested to the second."""
    root = root_ca.read_root(pems.make_root(KEY))
    if taken:
        root_ca.check_validity(root, moment)
    else:
        with pytest.raises(
            ValueError, match=r"is valid from \d{4}-\d\d-\d\d to .* UTC, so it is not valid now\. Provide one"
        ):
            root_ca.check_validity(root, moment)


@pytest.mark.parametrize(("valid", "hours"), [(SECOND, 0), (HOUR - SECOND, 0), (HOUR, 1), (25 * HOUR, 25)])
def test_the_hours_of_a_roots_lifetime_are_whole(valid: timedelta, hours: int) -> None:
    """An intermediate with this validity does not outlive the root."""
    first = pems.NOW - pems.YEAR
    root = root_ca.read_root(pems.make_root(KEY, not_after=first + valid))
    assert root_ca.lifetime_hours(root) == hours


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "a key of another kind"),
        (ec.generate_private_key(ec.BrainpoolP256R1()), "an ECDSA key on the curve brainpoolP256r1"),
        (ec.generate_private_key(ec.SECP256K1()), "an ECDSA key on the curve secp256k1"),
        (ec.generate_private_key(ec.SECP224R1()), "an ECDSA key on the curve secp224r1"),
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), "an RSA key of 1024 bits"),  # noqa: S505
    ],
)
def test_a_key_of_a_kind_that_istiod_cannot_use_is_refused(key: pems.Key, kind: str) -> None:
    """Go's x509 supports three curves, and rejects short RSA keys."""
    with pytest.raises(
        ValueError, match=rf"^has {kind}, which istiod cannot use\. Provide a root with an ECDSA key on"
    ):
        root_ca.read_root(pems.make_root(key))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_a_root_on_each_curve_of_go_is_taken(curve: ec.EllipticCurve) -> None:
    """Its key is accepted as well."""
    key = ec.generate_private_key(curve)
    root_ca.check_key_fits(root_ca.read_root(pems.make_root(key)), pems.key_pem(key))


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here to make the root")


def openssl(folder: Path, *command: str) -> None:
    """Run openssl for what the Python library cannot create."""
    subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607 - fixed commands


@needs_openssl
@pytest.mark.parametrize(
    "key",
    [
        ("ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-noout"),
        ("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"),
    ],
)
def test_a_key_in_a_form_that_go_does_not_read_is_refused(tmp_path: Path, key: tuple[str, ...]) -> None:
    """The form is refused in the certificate and in the private key."""
    openssl(tmp_path, *key, "-out", "key.pem")
    openssl(tmp_path, "req", "-new", "-x509", "-key", "key.pem", "-subj", "/CN=root", "-out", "root.pem")
    with pytest.raises(
        ValueError, match=r"^has a key in a form that istiod cannot read\. Provide one with a named curve"
    ):
        root_ca.read_root((tmp_path / "root.pem").read_text())
    with pytest.raises(ValueError, match=r"form that istiod cannot read\..*named_curve -in key\.pem` names the curve$"):
        root_ca.check_key_fits(root_ca.read_root(pems.make_root(KEY)), (tmp_path / "key.pem").read_text())


@needs_openssl
def test_a_key_on_a_curve_that_the_library_does_not_know_is_refused(tmp_path: Path) -> None:
    """The certificate itself is readable."""
    openssl(tmp_path, "ecparam", "-name", "c2tnb191v1", "-genkey", "-noout", "-out", "key.pem")
    openssl(tmp_path, "req", "-new", "-x509", "-key", "key.pem", "-subj", "/CN=root", "-out", "root.pem")
    with pytest.raises(ValueError, match=r"^has a key of another kind, which istiod cannot use\."):
        root_ca.read_root((tmp_path / "root.pem").read_text())


@needs_openssl
def test_a_weak_signature_is_refused_by_its_name(tmp_path: Path) -> None:
    """The root is self-signed, as required."""
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem")
    openssl(tmp_path, "req", "-new", "-x509", "-sha1", *key, "-subj", "/CN=root", "-out", "root.pem")
    with pytest.raises(
        ValueError, match=r"^is signed with SHA1, which istiod refuses\. Provide a root that is signed with"
    ):
        root_ca.read_root((tmp_path / "root.pem").read_text())


@needs_openssl
def test_a_signature_by_rsassa_pss_is_taken(tmp_path: Path) -> None:
    """Go verifies this signature, but does not support a key that is only for it."""
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-sigopt", "rsa_padding_mode:pss")
    openssl(tmp_path, "req", "-new", "-x509", "-sha256", *key, "-subj", "/CN=root", "-out", "root.pem")
    root = root_ca.read_root((tmp_path / "root.pem").read_text())
    root_ca.check_key_fits(root, (tmp_path / "key.pem").read_text())


CONSTRAINED = x509.NameConstraints(permitted_subtrees=[x509.DNSName("local")], excluded_subtrees=None)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@pytest.mark.parametrize(("extension", "oid"), [(UNKNOWN, "1.2.3.4"), (CONSTRAINED, "2.5.29.30")])
def test_a_critical_extension_that_go_does_not_process_is_refused(extension: x509.ExtensionType, oid: str) -> None:
    """Verifiers ignore an unknown extension if it is not critical."""
    root_ca.read_root(pems.make_root(KEY, extensions=[(extension, False)]))
    with pytest.raises(ValueError, match=rf"^has the critical extension {oid}, with which istiod refuses it\. Provide"):
        root_ca.read_root(pems.make_root(KEY, extensions=[(extension, True)]))


def test_a_root_is_for_both_sides_of_a_connection() -> None:
    """A verifier enforces the purposes of a root for all certificates below it."""
    server, client = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    for purposes in ([server, client], [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]):
        root_ca.read_root(pems.make_root(KEY, extensions=[(x509.ExtendedKeyUsage(purposes), True)]))
    with pytest.raises(ValueError, match="whose extendedKeyUsage, if any, has serverAuth and clientAuth"):
        root_ca.read_root(pems.make_root(KEY, extensions=[(x509.ExtendedKeyUsage([server]), False)]))


def test_a_root_that_ends_before_its_intermediates_is_a_warning() -> None:
    """The comparison is to the second. The mesh works until the root expires."""
    root = root_ca.read_root(pems.make_root(KEY))
    assert root_ca.outlived(root, pems.END - 25 * HOUR, 25) is None
    assert root_ca.outlived(root, pems.END - 25 * HOUR + SECOND, 25) == (
        f"ends on {pems.END:%Y-%m-%d %H:%M} UTC, before intermediates that are created now; all certificates of the "
        "mesh end with it. Prepare the change to another root"
    )


def test_another_key_does_not_fit() -> None:
    """The public half of the key differs from that of the certificate."""
    root = root_ca.read_root(pems.make_root(KEY))
    root_ca.check_key_fits(root, pems.key_pem(KEY))
    with pytest.raises(ValueError, match="is not the key of the root certificate"):
        root_ca.check_key_fits(root, pems.key_pem(pems.make_key()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no PEM",
        pems.make_root(KEY),
        pems.key_pem(KEY, password=b"pass"),
        pems.key_pem(KEY) + pems.make_root(KEY),
        f"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n{pems.key_pem(KEY)}",
    ],
)
def test_what_is_not_one_unencrypted_key_alone_is_refused(text: str) -> None:
    """The program cannot prompt for the password of an encrypted key. Of several blocks, the signer reads the first."""
    root = root_ca.read_root(pems.make_root(KEY))
    with pytest.raises(ValueError, match=r"^is not exactly one unencrypted PEM private key; `openssl pkey"):
        root_ca.check_key_fits(root, text)


def test_expiry_is_written_as_pulumi_tls_writes_it() -> None:
    """The format is RFC 3339 in UTC, without fractions."""
    root = root_ca.read_root(pems.make_root(KEY))
    assert root_ca.expiry(root) == f"{(pems.END).isoformat().removesuffix('+00:00')}Z"
