"""What a peer's istiod can read in a cluster, as a service account or as a Rancher user."""

from collections.abc import Sequence
from dataclasses import dataclass

READ = ("get", "list", "watch")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Resources of one API group; the core group is the empty string."""

    api_group: str
    resources: Sequence[str]


_RULES = (
    Rule(api_group="", resources=("services", "pods", "nodes", "namespaces", "configmaps")),
    Rule(api_group="discovery.k8s.io", resources=("endpointslices",)),
    Rule(api_group="apiextensions.k8s.io", resources=("customresourcedefinitions",)),
    Rule(api_group="gateway.networking.k8s.io", resources=("gateways",)),
    # Istiod reads workloadentries and serviceentries. The rest is for `istioctl analyze`, which never ends while a peer
    # refuses what it reads.
    Rule(
        api_group="networking.istio.io",
        resources=(
            "workloadentries",
            "serviceentries",
            "destinationrules",
            "envoyfilters",
            "gateways",
            "proxyconfigs",
            "sidecars",
            "virtualservices",
            "workloadgroups",
        ),
    ),
    Rule(
        api_group="security.istio.io",
        resources=("authorizationpolicies", "peerauthentications", "requestauthentications"),
    ),
    Rule(api_group="telemetry.istio.io", resources=("telemetries",)),
    Rule(api_group="extensions.istio.io", resources=("trafficextensions", "wasmplugins")),
)
"""All that istiod 1.31 and istioctl read from a peer, except Secrets."""
_SECRETS = Rule(api_group="", resources=("secrets",))
"""What istiod also reads unless its controller for remote credentials is off."""
_ENDPOINTS = Rule(api_group="", resources=("endpoints",))
"""What an older istiod reads, which may use Endpoints instead of EndpointSlices."""


@dataclass(frozen=True, kw_only=True)
class ReaderRights:
    """What readers can read in every cluster; the peers' istiods are configured to match."""

    secrets: bool
    """Whether they can read Secrets, for gateways in a peer that refer to them."""
    endpoints: bool
    """Whether they can read Endpoints in addition to EndpointSlices."""

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules of a reader's role, all for the verbs `READ`."""
        return (*_RULES, *([_SECRETS] if self.secrets else []), *([_ENDPOINTS] if self.endpoints else []))
