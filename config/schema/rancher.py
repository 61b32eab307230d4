"""Section `rancher`: the Rancher server and the projects in it."""

from typing import Self

from pydantic import model_validator

from config.base import Section
from config.schema.limits import refuse_more
from config.types import CaCertificates, Generation, Hours, HttpsUrl, NonEmpty, Quantity, TokenHours


class ContainerLimit(Section):
    """Defaults that Rancher gives to a container that names none."""

    limits_cpu: Quantity = "200m"
    limits_memory: Quantity = "128Mi"
    requests_cpu: Quantity = "100m"
    requests_memory: Quantity = "64Mi"

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_more("requestsCpu", self.requests_cpu, "limitsCpu", self.limits_cpu)
        refuse_more("requestsMemory", self.requests_memory, "limitsMemory", self.limits_memory)
        return self


class Quota(Section):
    """The sum of limits."""

    limits_cpu: Quantity = "12000m"
    limits_memory: Quantity = "12000Mi"


class Project(Section):
    """The Rancher project of istio-system in every cluster with access `rancher`."""

    name: NonEmpty = "istio"
    description: str = "Istio Manage Project"
    container_limit: ContainerLimit = ContainerLimit()
    namespace_quota: Quota = Quota()
    project_quota: Quota = Quota()

    @model_validator(mode="after")
    def _check(self) -> Self:
        inner, outer = self.namespace_quota, self.project_quota
        refuse_more("namespaceQuota.limitsCpu", inner.limits_cpu, "projectQuota.limitsCpu", outer.limits_cpu)
        refuse_more(
            "namespaceQuota.limitsMemory", inner.limits_memory, "projectQuota.limitsMemory", outer.limits_memory
        )
        return self


class AppProject(Project):
    """The Rancher project of the application's namespace, likewise."""

    name: NonEmpty = "sample"
    description: str = "Demo application of the mesh"


class Rancher(Section):
    """The Rancher server; its API token is the secret `rancherToken`."""

    url: HttpsUrl
    ca_certs: CaCertificates | None = None
    """PEM of the CA behind `url`; unset means one that every machine trusts."""
    token_ttl_hours: TokenHours = 720
    token_early_renewal_hours: Hours = 240
    token_generation: Generation = 1
    peers_user: bool = True
    """Whether peers read by a Rancher user of their own; without, their token may do all that `rancherToken` may."""
    project: Project = Project()
    app_project: AppProject = AppProject()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.token_early_renewal_hours >= self.token_ttl_hours:
            message = (
                f"tokenEarlyRenewalHours is {self.token_early_renewal_hours}; allowed is less than tokenTtlHours, "
                f"which is {self.token_ttl_hours}"
            )
            raise ValueError(message)
        return self
