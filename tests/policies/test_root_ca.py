"""The rules that the root CA is protected and that its validity is limited."""

from dataclasses import replace
from typing import Any

import pytest

from policies.rules import root_ca_protected, root_ca_validity
from tests.support.policies import UNKNOWN, Made, assert_bears_all, judge
from tests.support.recording import LOCALLY_SIGNED_CERT, PRIVATE_KEY, SELF_SIGNED_CERT

TRUST = "mcsps:index:MeshTrust"
KEY = Made(type=PRIVATE_KEY, name="trust-root-key", inputs={"algorithm": "ECDSA"}, protect=True, under=TRUST)
ROOT = Made(
    type=SELF_SIGNED_CERT,
    name="trust-root-certificate",
    inputs={"isCaCertificate": True, "validityPeriodHours": 87600},
    protect=True,
    under=TRUST,
    needs={"privateKeyPem": [KEY.urn]},
)


def valid_for(hours: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """Return the root with another validity."""
    return replace(ROOT, inputs={**ROOT.inputs, "validityPeriodHours": hours})


def test_an_unprotected_root_is_refused() -> None:
    """The message names the config key that protects it."""
    (found,) = judge(root_ca_protected.POLICY, replace(ROOT, protect=False))
    assert "the root CA trust-root-certificate is not protected" in found.message
    assert "To fix it, set mcsps:trust.protectRoot to true" in found.message


def test_a_root_whose_key_is_unprotected_is_refused() -> None:
    """A new key results in a new root, even if the certificate is protected."""
    (found,) = judge(root_ca_protected.POLICY, ROOT, replace(KEY, protect=False))
    assert found.resource == KEY.name
    assert "PrivateKey trust-root-key is the key of the root CA trust-root-certificate and is not" in found.message
    assert judge(root_ca_protected.POLICY, ROOT, KEY, replace(KEY, name="another", protect=False)) == []


@pytest.mark.parametrize("early", [1, 720.5, "24", True])
def test_a_root_that_an_update_renews_by_itself_is_refused(early: object) -> None:
    """Every certificate below the root would become invalid with it."""
    (found,) = judge(root_ca_validity.POLICY, replace(ROOT, inputs={**ROOT.inputs, "earlyRenewalHours": early}))
    assert "for earlyRenewalHours, so an update replaces it by itself." in found.message
    assert "remove earlyRenewalHours." in found.message


@pytest.mark.parametrize("early", [0, None, UNKNOWN])
def test_a_root_that_nothing_renews_early_is_allowed(early: object) -> None:
    """A root whose early renewal is not known yet passes as well."""
    assert judge(root_ca_validity.POLICY, replace(ROOT, inputs={**ROOT.inputs, "earlyRenewalHours": early})) == []


@pytest.mark.parametrize("hours", [87601, 10**9, 0, -1, 0.5, None, "87600", True, [], {}])
def test_a_validity_without_bound_is_refused(hours: object) -> None:
    """A value that is not a number of hours is refused as well."""
    (found,) = judge(root_ca_validity.POLICY, valid_for(hours))
    assert "allowed is a number from 1 to 87600" in found.message
    assert "To fix it, lower mcsps:trust.rootValidityHours" in found.message


def test_the_bound_is_a_parameter() -> None:
    """The policy config sets the bound."""
    (found,) = judge(root_ca_validity.POLICY, ROOT, maxRootValidityHours=8760)
    assert "is valid for 87600 hours; allowed is a number from 1 to 8760" in found.message
    assert judge(root_ca_validity.POLICY, valid_for(87601), maxRootValidityHours=87601) == []


@pytest.mark.parametrize(
    "other",
    [
        replace(ROOT, type=LOCALLY_SIGNED_CERT, protect=False),
        replace(ROOT, inputs={"validityPeriodHours": 10**9}, protect=False),
        replace(ROOT, inputs={**ROOT.inputs, "isCaCertificate": False}, protect=False),
        replace(ROOT, inputs={**ROOT.inputs, "isCaCertificate": UNKNOWN}, protect=False),
        replace(ROOT, inputs={**ROOT.inputs, "isCaCertificate": "true"}, protect=False),
        replace(ROOT, inputs={"isCaCertificate": True, "validityPeriodHours": 10**9}, protect=False, under=""),
    ],
    ids=["an intermediate", "a certificate", "not a CA", "unknown", "of a wrong type", "the CA of a webhook"],
)
def test_only_a_root_ca_is_judged(other: Made) -> None:
    """The rules pass any other certificate of tls."""
    assert judge(root_ca_protected.POLICY, other) == []
    assert judge(root_ca_validity.POLICY, other) == []


def test_a_root_of_which_nothing_is_known_yet_is_left_alone() -> None:
    """The rules pass unknown values, and a value of a wrong type does not stop them."""
    assert_bears_all(root_ca_protected.POLICY, ROOT, KEY)
    assert_bears_all(root_ca_validity.POLICY, ROOT, refused={"validityPeriodHours"})
