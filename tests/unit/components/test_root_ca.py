"""Checks on a root that the user brings."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from components import _root_ca
from tests.support import pems

KEY = pems.make_key()
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("path_length", [None, 1, 2])
def test_a_ca_that_may_sign_cas_is_taken(path_length: int | None) -> None:
    """With no limit, or one that leaves room for the intermediates."""
    pem = pems.make_root(KEY, constraints=x509.BasicConstraints(ca=True, path_length=path_length))
    assert _root_ca.read_root(pem, pems.NOW).public_key() == KEY.public_key()


def test_an_rsa_root_is_taken() -> None:
    """Many companies' roots are."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = pems.make_root(key)
    _root_ca.check_key_fits(_root_ca.read_root(pem, pems.NOW), pems.key_pem(key))


@pytest.mark.parametrize("text", ["", "no PEM", pems.key_pem(KEY)])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    """A private key in its place is not quoted."""
    with pytest.raises(ValueError, match=r"^is no PEM certificate$"):
        _root_ca.read_root(text, pems.NOW)


@pytest.mark.parametrize(
    "constraints",
    [None, x509.BasicConstraints(ca=False, path_length=None), x509.BasicConstraints(ca=True, path_length=0)],
)
def test_a_certificate_that_may_not_sign_cas_is_refused(constraints: x509.BasicConstraints | None) -> None:
    """Sidecars would trust none of what its intermediates sign."""
    with pytest.raises(ValueError, match="is no CA that may sign intermediates"):
        _root_ca.read_root(pems.make_root(KEY, constraints=constraints), pems.NOW)


@pytest.mark.parametrize(
    ("moment", "taken"),
    [
        (pems.NOW - pems.YEAR - SECOND, False),
        (pems.NOW - pems.YEAR, True),
        (pems.NOW + pems.YEAR - SECOND, True),
        (pems.NOW + pems.YEAR, False),
    ],
)
def test_a_root_is_taken_from_its_first_moment_to_its_last(*, moment: datetime, taken: bool) -> None:
    """Both ends tested to the second."""
    pem = pems.make_root(KEY)
    if taken:
        _root_ca.read_root(pem, moment)
    else:
        with pytest.raises(ValueError, match=r"is valid from \d{4}-\d\d-\d\d to .* UTC and so not now"):
            _root_ca.read_root(pem, moment)


def test_a_key_of_a_kind_that_istiod_cannot_use_is_refused() -> None:
    """Ed25519, for one."""
    with pytest.raises(ValueError, match="neither ECDSA nor RSA"):
        _root_ca.read_root(pems.make_root(ed25519.Ed25519PrivateKey.generate()), pems.NOW)


def test_another_key_does_not_fit() -> None:
    """The message names the certificate's place in the config."""
    root = _root_ca.read_root(pems.make_root(KEY), pems.NOW)
    _root_ca.check_key_fits(root, pems.key_pem(KEY))
    with pytest.raises(ValueError, match=r"does not fit mcsps:trust\.rootCertificate"):
        _root_ca.check_key_fits(root, pems.key_pem(pems.make_key()))


@pytest.mark.parametrize("text", ["", "no PEM", pems.make_root(KEY), pems.key_pem(KEY, password=b"pass")])
def test_what_is_no_unencrypted_key_is_refused(text: str) -> None:
    """An encrypted one, too: nobody could be asked for the password."""
    root = _root_ca.read_root(pems.make_root(KEY), pems.NOW)
    with pytest.raises(ValueError, match=r"^is no unencrypted PEM private key$"):
        _root_ca.check_key_fits(root, text)


def test_expiry_is_written_as_pulumi_tls_writes_it() -> None:
    """RFC 3339 in UTC, without fractions."""
    root = _root_ca.read_root(pems.make_root(KEY), pems.NOW)
    assert _root_ca.expiry(root) == f"{(pems.NOW + pems.YEAR).isoformat().removesuffix('+00:00')}Z"
