"""What a peer's istiod may read in a cluster, whoever it comes as: a service account or a user of Rancher."""

from collections.abc import Sequence
from dataclasses import dataclass

READ = ("get", "list", "watch")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Resources of one API group; the group of Kubernetes' core is empty."""

    api_group: str
    resources: Sequence[str]


_RULES = (
    Rule(api_group="", resources=("services", "pods", "nodes", "namespaces", "configmaps")),
    Rule(api_group="discovery.k8s.io", resources=("endpointslices",)),
    Rule(api_group="apiextensions.k8s.io", resources=("customresourcedefinitions",)),
    Rule(api_group="networking.istio.io", resources=("workloadentries", "serviceentries")),
    Rule(api_group="gateway.networking.k8s.io", resources=("gateways",)),
)
"""All that istiod 1.31 asks of a peer, Secrets excepted."""
_SECRETS = Rule(api_group="", resources=("secrets",))
"""What istiod asks besides, unless its controller for a peer's credentials is off."""
_ENDPOINTS = Rule(api_group="", resources=("endpoints",))
"""What an istiod asks that is from before EndpointSlices were its only source."""


@dataclass(frozen=True, kw_only=True)
class ReaderRights:
    """What the readers of all clusters may read: the peers' istiods are set up for the same."""

    secrets: bool
    """Secrets, for gateways in a peer that name them."""
    endpoints: bool
    """Endpoints beside EndpointSlices."""

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules of a reader's role, for the verbs `READ` and no other."""
        return (*_RULES, *([_SECRETS] if self.secrets else []), *([_ENDPOINTS] if self.endpoints else []))
