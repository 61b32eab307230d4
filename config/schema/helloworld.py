"""Section `helloworld`: the demo application."""

from typing import Self

from pydantic import model_validator

from config.base import Section
from config.images import Image
from config.schema.limits import refuse_more
from config.types import Memory, Quantity, Replicas


class Images(Section):
    """The image of each version."""

    v1: Image = "docker.io/istio/examples-helloworld-v1:1.0"
    """The image of v1."""
    v2: Image = "docker.io/istio/examples-helloworld-v2:1.0"
    """The image of v2."""


class Requests(Section):
    """The resource requests of a container."""

    cpu: Quantity = "50m"
    """CPU request of each container."""
    memory: Memory = "64Mi"
    """Memory request of each container."""


class Limits(Section):
    """The resource limits of a container."""

    cpu: Quantity = "200m"
    """CPU limit of each container."""
    memory: Memory = "128Mi"
    """Memory limit of each container."""


class Resources(Section):
    """The resource requests and limits of a container, as Kubernetes quantities."""

    requests: Requests = Requests()
    """Resource requests of each container; at most the limits."""
    limits: Limits = Limits()
    """Resource limits of each container."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_more("requests.cpu", self.requests.cpu, "limits.cpu", self.limits.cpu)
        refuse_more("requests.memory", self.requests.memory, "limits.memory", self.limits.memory)
        return self


class Helloworld(Section):
    """The demo application."""

    images: Images = Images()
    """The image of each version."""
    replicas: Replicas = 1
    """Pods of each version in each cluster that runs it."""
    resources: Resources = Resources()
    """Resource requests and limits of each container."""
