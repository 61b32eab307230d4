"""Section `trust`: the root CA and the intermediate CAs."""

from typing import Self

from pydantic import model_validator

from config.base import Section
from config.types import Generation, Hours, RootCertificate
from mesh import root_ca


class Trust(Section):
    """The root CA of the mesh and the intermediate CA of each cluster."""

    root_certificate: RootCertificate | None = None
    """
    PEM of a provided root certificate, whose key is the secret `rootPrivateKey`. If unset, the program generates a
    root. Replacing a root by another one in one step breaks the mesh (docs/adr/0004).
    """
    root_validity_hours: Hours = 87600
    """Validity of a generated root, in hours."""
    intermediate_validity_hours: Hours = 8760
    """Validity of the intermediates, in hours; at most the validity of the root."""
    intermediate_early_renewal_hours: Hours = 2920
    """How long before its expiry an intermediate is renewed by the next `pulumi up`, in hours."""
    intermediate_generation: Generation = 1
    """A higher number rotates the keys and certificates of all intermediates."""
    protect_root: bool = True
    """Whether Pulumi refuses to delete or replace a generated root."""

    @model_validator(mode="after")
    def _check_hours(self) -> Self:
        if self.intermediate_early_renewal_hours >= self.intermediate_validity_hours:
            raise ValueError(
                f".intermediateEarlyRenewalHours: got {self.intermediate_early_renewal_hours}; allowed: less than "
                f"intermediateValidityHours, which is {self.intermediate_validity_hours}"
            )
        hours, limit = self.root_validity_hours, "rootValidityHours"
        if self.root_certificate is not None:
            # The whole validity and not the rest of it: else an old root would fail every `up`, even a weight shift.
            hours = root_ca.lifetime_hours(self.root_certificate)
            limit = "the validity of rootCertificate in hours"
        if self.intermediate_validity_hours > hours:
            raise ValueError(
                f".intermediateValidityHours: got {self.intermediate_validity_hours}; allowed: at most {limit}, which "
                f"is {hours}"
            )
        return self
