"""Section `rancher`: the Rancher server, its tokens and its projects."""

from typing import Self

from pydantic import model_validator

from config.base import Section
from config.schema.limits import refuse_more
from config.types import CaCertificates, Generation, Hours, HttpsUrl, Memory, NonEmpty, Quantity, TokenHours
from errors import show


class ContainerLimit(Section):
    """The resources of containers in the project that set none themselves."""

    limits_cpu: Quantity = "200m"
    """Default CPU limit of a container."""
    limits_memory: Memory = "128Mi"
    """Default memory limit of a container."""
    requests_cpu: Quantity = "100m"
    """Default CPU request of a container; at most the limit."""
    requests_memory: Memory = "64Mi"
    """Default memory request of a container; at most the limit."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_more("requestsCpu", self.requests_cpu, "limitsCpu", self.limits_cpu)
        refuse_more("requestsMemory", self.requests_memory, "limitsMemory", self.limits_memory)
        return self


class Quota(Section):
    """The largest sum of the limits of all containers."""

    limits_cpu: Quantity = "12000m"
    """The largest sum of CPU limits."""
    limits_memory: Memory = "12000Mi"
    """The largest sum of memory limits."""


class Project(Section):
    """The Rancher project of istio-system, in every cluster with access `rancher`."""

    name: NonEmpty = "istio"
    """The name of the project."""
    description: str = "Istio Manage Project"
    """The description that Rancher shows."""
    container_limit: ContainerLimit = ContainerLimit()
    """Default resources of containers that set none themselves."""
    namespace_quota: Quota = Quota()
    """The quota of each namespace in the project; at most the project's."""
    project_quota: Quota = Quota()
    """The quota of the project as a whole."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        inner, outer = self.namespace_quota, self.project_quota
        refuse_more("namespaceQuota.limitsCpu", inner.limits_cpu, "projectQuota.limitsCpu", outer.limits_cpu)
        refuse_more(
            "namespaceQuota.limitsMemory", inner.limits_memory, "projectQuota.limitsMemory", outer.limits_memory
        )
        return self


class AppProject(Project):
    """The Rancher project of the application's namespace, in every cluster with access `rancher`."""

    name: NonEmpty = "sample"
    """The name of the project."""
    description: str = "Demo application of the mesh"
    """The description that Rancher shows."""


class Rancher(Section):
    """The Rancher server of clusters with access `rancher`; its API token is the secret `rancherToken`."""

    url: HttpsUrl
    """The address of the Rancher server."""
    ca_certs: CaCertificates | None = None
    """
    The CA of the server's certificate: its PEM, or the absolute path of a PEM file. If unset, the machine's trust store
    decides.
    """
    token_ttl_hours: TokenHours = 720
    """Lifetime of the tokens that the program creates, in hours; at most what the server allows."""
    token_early_renewal_hours: Hours = 240
    """
    The lifetime that a token has left when it is replaced in time, in hours; less than `tokenTtlHours`. Tokens rotate
    every (tokenTtlHours - tokenEarlyRenewalHours) / 2 hours. Run `pulumi up` at least that often.
    """
    token_generation: Generation = 1
    """
    A higher number starts a rotation: it activates each cluster's standby token, creates the next standby and rotates
    the peers' token.
    """
    peers_user: bool = True
    """
    Whether the program creates a Rancher user for the peers of each cluster, which can read only what istiod needs.
    This requires a `rancherToken` of an administrator. If false, peers hold a token with all rights of `rancherToken`.
    """
    project: Project = Project()
    """The project of istio-system."""
    app_project: AppProject = AppProject()
    """The project of the application's namespace."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.token_early_renewal_hours >= self.token_ttl_hours:
            raise ValueError(
                f".tokenEarlyRenewalHours: got {self.token_early_renewal_hours}; allowed: less than tokenTtlHours, "
                f"which is {self.token_ttl_hours}"
            )
        if self.app_project.name == self.project.name:
            raise ValueError(
                f".appProject.name: got {show(self.app_project.name)}, which project.name is too; allowed: another "
                f"name, since both projects are in the same cluster"
            )
        return self
