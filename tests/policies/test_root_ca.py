"""The root CA is protected, and does not live for ever."""

from dataclasses import replace
from typing import Any

import pytest

from policies.rules import root_ca_protected, root_ca_validity
from tests.support.policies import UNKNOWN, Made, assert_bears_all, judge
from tests.support.recording import LOCALLY_SIGNED_CERT, SELF_SIGNED_CERT

ROOT = Made(
    type=SELF_SIGNED_CERT,
    name="trust-root-certificate",
    inputs={"isCaCertificate": True, "validityPeriodHours": 87600},
    protect=True,
)


def valid_for(hours: Any) -> Made:  # noqa: ANN401 - JSON data has no narrower type
    """The root with another validity."""
    return replace(ROOT, inputs={**ROOT.inputs, "validityPeriodHours": hours})


def test_an_unprotected_root_is_refused() -> None:
    """With the key of the config that protects it."""
    (found,) = judge(root_ca_protected.POLICY, replace(ROOT, protect=False))
    assert "the root CA trust-root-certificate is not protected" in found.message
    assert "To fix it, set mcsps:trust.protectRoot to true" in found.message


@pytest.mark.parametrize("hours", [87601, 10**9, 0, -1, 0.5, None, "87600", True, [], {}])
def test_a_validity_without_bound_is_refused(hours: object) -> None:
    """As is what is no number of hours."""
    (found,) = judge(root_ca_validity.POLICY, valid_for(hours))
    assert "allowed is a number from 1 to 87600" in found.message
    assert "To fix it, lower mcsps:trust.rootValidityHours" in found.message


def test_the_bound_is_a_parameter() -> None:
    """Of the policy config."""
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
    ],
    ids=["an intermediate", "a certificate", "not a CA", "unknown", "of a wrong type"],
)
def test_only_a_root_ca_is_judged(other: Made) -> None:
    """Whatever else tls makes."""
    assert judge(root_ca_protected.POLICY, other) == []


def test_a_root_of_which_nothing_is_known_yet_is_left_alone() -> None:
    """And no wrong type stops the rules."""
    assert_bears_all(root_ca_protected.POLICY, ROOT)
    assert_bears_all(root_ca_validity.POLICY, ROOT, refused={"validityPeriodHours"})
