"""Section `helloworld`: the demo application."""

from typing import Self

from pydantic import model_validator

from config.base import Section
from config.schema.limits import refuse_more
from config.types import NonEmpty, Quantity, Replicas


class Images(Section):
    """One image for each version."""

    v1: NonEmpty = "docker.io/istio/examples-helloworld-v1:1.0"
    v2: NonEmpty = "docker.io/istio/examples-helloworld-v2:1.0"


class Requests(Section):
    """What a container is sure to get."""

    cpu: Quantity = "50m"
    memory: Quantity = "64Mi"


class Limits(Section):
    """What a container may take."""

    cpu: Quantity = "200m"
    memory: Quantity = "128Mi"


class Resources(Section):
    """Container requests and limits, in Kubernetes quantities."""

    requests: Requests = Requests()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse_more("requests.cpu", self.requests.cpu, "limits.cpu", self.limits.cpu)
        refuse_more("requests.memory", self.requests.memory, "limits.memory", self.limits.memory)
        return self


class Helloworld(Section):
    """The demo application."""

    images: Images = Images()
    replicas: Replicas = 1
    resources: Resources = Resources()
