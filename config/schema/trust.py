"""Section `trust`: the root CA and the intermediates."""

from typing import Self

from pydantic import model_validator

from config.base import Section
from config.types import Generation, Hours, RootCertificate
from mesh import root_ca


class Trust(Section):
    """The root CA and the intermediates."""

    root_certificate: RootCertificate | None = None
    """PEM of a root that the user brings; its key is the secret `rootPrivateKey`."""
    root_validity_hours: Hours = 87600
    intermediate_validity_hours: Hours = 8760
    intermediate_early_renewal_hours: Hours = 2920
    intermediate_generation: Generation = 1
    protect_root: bool = True

    @model_validator(mode="after")
    def _check_hours(self) -> Self:
        if self.intermediate_early_renewal_hours >= self.intermediate_validity_hours:
            message = (
                f"intermediateEarlyRenewalHours is {self.intermediate_early_renewal_hours}; allowed is less than "
                f"intermediateValidityHours, which is {self.intermediate_validity_hours}"
            )
            raise ValueError(message)
        hours, limit = self.root_validity_hours, "rootValidityHours"
        if self.root_certificate is not None:
            # Not what is left of it: an old root would then refuse every `up`, a weight shift included.
            hours = root_ca.lifetime_hours(self.root_certificate)
            limit = "the hours that rootCertificate is valid"
        if self.intermediate_validity_hours > hours:
            message = (
                f"intermediateValidityHours is {self.intermediate_validity_hours}; allowed is at most {limit}, "
                f"which is {hours}"
            )
            raise ValueError(message)
        return self
