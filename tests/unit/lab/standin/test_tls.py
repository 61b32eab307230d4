"""The stand-in's keys and certificates, checked with `cryptography` and openssl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from errors import UserError
from lab.standin.providers.tls import TYPES
from recorder.values import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from recorder.registrations import Outcome
    from recorder.values import Properties

CA_USES = ["digital_signature", "cert_signing", "crl_signing"]


def make(type_: str, inputs: Properties) -> Outcome:
    """Generate one resource by the last part of its type."""
    return next(found for token, found in TYPES.items() if token.endswith(f":{type_}")).make(inputs)


def new_key(curve: str) -> str:
    """Return a private key as PEM."""
    pem = make("PrivateKey", {"algorithm": "ECDSA", "ecdsaCurve": curve}).outputs["privateKeyPem"].value
    assert isinstance(pem, str)
    return pem


def new_root(**more: object) -> tuple[str, Outcome]:
    """Generate a root CA; return its key and the outcome of its certificate."""
    key = new_key("P384")
    inputs = {
        "privateKeyPem": key,
        "subject": {"organization": "mesh", "commonName": "Root CA"},
        "validityPeriodHours": 48,
        "isCaCertificate": True,
        "maxPathLength": 1,
        "setAuthorityKeyId": True,
        "allowedUses": CA_USES,
        **more,
    }
    return key, make("SelfSignedCert", inputs)


def new_intermediate(root_key: str, root: Outcome, **more: object) -> Outcome:
    """Generate an intermediate CA of a root."""
    request = make(
        "CertRequest",
        {
            "privateKeyPem": new_key("P256"),
            "subject": {"organization": "mesh", "commonName": "east"},
            "dnsNames": ["istiod.istio-system.svc"],
        },
    )
    inputs = {
        "caPrivateKeyPem": root_key,
        "caCertPem": root.outputs["certPem"],
        "certRequestPem": request.outputs["certRequestPem"],
        "validityPeriodHours": 24,
        "isCaCertificate": True,
        "setSubjectKeyId": True,
        "allowedUses": CA_USES,
        **more,
    }
    return make("LocallySignedCert", inputs)


def parse(outcome: Outcome) -> x509.Certificate:
    """Return the certificate of an outcome."""
    return x509.load_pem_x509_certificate(outcome.outputs["certPem"].encode())


@pytest.mark.parametrize(("curve", "bits"), [("P256", 256), ("P384", 384)])
def test_keys_are_on_the_curve_asked_for_and_secret(curve: str, bits: int) -> None:
    """The three private forms contain the same key, and no repr shows them."""
    outcome = make("PrivateKey", {"algorithm": "ECDSA", "ecdsaCurve": curve})
    private = {name: value for name, value in outcome.outputs.items() if name.startswith("privateKey")}
    assert set(private) == {"privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"}
    assert all(isinstance(value, Secret) for value in private.values())
    assert "PRIVATE KEY" not in repr(outcome)
    assert private["privateKeyPem"].value.startswith("-----BEGIN EC PRIVATE KEY-----\n")
    key = serialization.load_pem_private_key(private["privateKeyPem"].value.encode(), None)
    again = serialization.load_pem_private_key(private["privateKeyPemPkcs8"].value.encode(), None)
    assert key.key_size == bits  # type: ignore[union-attr]
    assert key.public_key() == again.public_key()
    assert len(outcome.id) == 40


def test_other_algorithms_are_refused_by_name() -> None:
    """An unsupported algorithm is an error and does not result in another key."""
    with pytest.raises(UserError, match="RSA"):
        make("PrivateKey", {"algorithm": "RSA"})


def test_openssl_accepts_the_chain(tmp_path: Path) -> None:
    """Openssl verifies root and intermediate as CAs."""
    key, root = new_root()
    (tmp_path / "root.pem").write_text(root.outputs["certPem"])
    (tmp_path / "intermediate.pem").write_text(new_intermediate(key, root).outputs["certPem"])
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "intermediate.pem"]
    done = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - from above
    assert done.returncode == 0, done.stderr


def test_an_intermediate_carries_what_istiod_looks_at() -> None:
    """It has the SAN of its request, the root's subject key id as authority, critical constraints and usages."""
    key, root = new_root()
    extensions = parse(new_intermediate(key, root)).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    authority = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    signer = parse(root).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert names.get_values_for_type(x509.DNSName) == ["istiod.istio-system.svc"]
    assert authority.key_identifier == signer.digest
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.key_encipherment) == (True, True, False)


@pytest.mark.parametrize(("asked", "got"), [(1, 1), (0, None), (-1, None)])
def test_a_path_length_of_zero_is_dropped_as_pulumi_tls_does(asked: int, got: int | None) -> None:
    """Go treats 0 as not set, and the stand-in must not be stricter than the provider."""
    _, root = new_root(maxPathLength=asked)
    constraints = parse(root).extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.path_length == got


def test_validity_is_told_as_rfc_3339() -> None:
    """Start and end are outputs that `datetime` can parse."""
    _, root = new_root()
    start, end = (datetime.fromisoformat(root.outputs[f"validity{side}Time"]) for side in ("Start", "End"))
    assert end - start == timedelta(hours=48)
    assert abs(datetime.now(UTC) - start) < timedelta(minutes=1)


@pytest.mark.parametrize(("early", "due"), [(0, False), (23, False), (24, True)])
def test_renewal_is_due_by_the_clock(early: int, due: bool) -> None:  # noqa: FBT001 - a table
    """A certificate of 24 hours with an early renewal of 24 hours is due at once."""
    key, root = new_root()
    outcome = new_intermediate(key, root, earlyRenewalHours=early)
    assert TYPES["tls:index/locallySignedCert:LocallySignedCert"].is_due(outcome.outputs) is due


def test_an_unreadable_key_is_not_quoted() -> None:
    """The error contains the problem and not the key."""
    with pytest.raises(UserError) as caught:
        make("CertRequest", {"privateKeyPem": "-----BEGIN hunter2", "subject": {}})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "name"), [({"allowedUses": ["time_travel"]}, "time_travel"), ({"subject": {"planet": "x"}}, "planet")]
)
def test_words_that_x509_does_not_have_are_refused(inputs: Properties, name: str) -> None:
    """A usage or a part of a name is never omitted without an error."""
    with pytest.raises(UserError, match=name):
        new_root(**inputs)
